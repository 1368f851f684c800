/** Where the string that opens at `text[start]` ends: the index behind its closing quote. */
function stringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  for (;;) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return end + 1;
    end = text.indexOf('"', end + 1);
  }
}

/**
 * The first key that stands twice in one object of `json`, or undefined. `JSON.parse` keeps the last of such keys and
 * says nothing, so that two readers may see two different files.
 * @param json text that `JSON.parse` accepts
 */
export function duplicateKey(json: string): string | undefined {
  const objects: Set<string>[] = [];
  for (let at = 0; at < json.length; at++) {
    if (json[at] === "{") objects.push(new Set());
    else if (json[at] === "}") objects.pop();
    else if (json[at] === '"') {
      const start = at;
      at = stringEnd(json, at) - 1;
      let next = at + 1;
      while (" \t\r\n".includes(json.charAt(next) || "end")) next++;
      if (json[next] !== ":") continue;
      const key = JSON.parse(json.slice(start, at + 1)) as string;
      const keys = objects[objects.length - 1];
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}
