import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { oneLine, openHttpTeacher, redact } from "../../../src/activemixup/index.js";

describe("redact", () => {
  it("finds a secret as it is, in addresses and JSON, and cut off", () => {
    const secret = 'p"ä s/s+1234567890';
    const written = [
      secret,
      encodeURIComponent(secret),
      new URLSearchParams({ key: secret }).toString(),
      JSON.stringify(secret),
      oneLine(secret, 12),
    ];
    const clean = redact(written.join(" and "), [secret]);
    expect(clean).toBe('*** and *** and key=*** and "***" and ***…');
  });

  it("leaves nothing of a secret in text of any other letters", () => {
    const secret = fc.string({ unit: fc.constantFrom("x", "y", "z", "/", "+"), minLength: 4, maxLength: 30 });
    const text = fc.string({ unit: fc.constantFrom("a", "b", " ", "…") });
    fc.assert(
      fc.property(secret, text, text, fc.nat(40), (secret, before, after, length) => {
        const shown = oneLine(redact(oneLine(before + secret + after, length + 1), [secret]), 200);
        // Three characters, cut off, are not told from text.
        expect(shown).not.toMatch(/[xyz/+]{4}/);
      }),
    );
  });
});

describe("an address on the command line", () => {
  it.each([
    ["teacher", "--teacher: the address cannot be read; expected http://… or https://…"],
    ["ftp://host/", "--teacher: an address of ftp:; expected http:// or https://"],
    [
      "http://user:hunter2@host/path?x=1",
      "--teacher http://host/path: the address holds a user or password; leave it out and give the header authorization " +
        'in --teacher-config, as "Basic ${NAME}"',
    ],
    [
      "http://host/path?model=a&api_key=hunter2",
      "--teacher http://host/path: the parameter api_key looks like a secret; leave it out and give it in " +
        '--teacher-config, under http.query, as "${NAME}"',
    ],
  ])("holds no secret: %s", async (address, message) => {
    await expect(openHttpTeacher(address)).rejects.toThrow(message);
  });
});
