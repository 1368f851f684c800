import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath, URL } from "node:url";
import { chromium, type Browser } from "playwright-core";
import { build, type Rollup } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { wgsl } from "../../scripts/build/wgsl.mjs";
import { findChromium } from "../../scripts/get-chromium.mjs";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const TYPES: Readonly<Record<string, string>> = { html: "text/html", js: "text/javascript", css: "text/css" };

/** Builds the page from the sources as the package's browser condition has them; gives the files by their URLs. */
async function buildPage(): Promise<Map<string, string | Uint8Array>> {
  const result = (await build({
    root: path("examples/browser"),
    configFile: false,
    logLevel: "error",
    plugins: [
      wgsl(),
      {
        name: "no-node",
        enforce: "pre",
        resolveId: (id) => (id.endsWith(".node.js") ? path("src/needs-node.ts") : undefined),
      },
    ],
    resolve: { alias: [{ find: /^activemixup\/(\w+)$/, replacement: path("src/$1/index.ts") }] },
    build: { write: false, minify: false, reportCompressedSize: false, chunkSizeWarningLimit: 4000 },
  })) as Rollup.RollupOutput;
  return new Map(
    result.output.map((file) => [`/${file.fileName}`, file.type === "chunk" ? file.code : file.source] as const),
  );
}

describe("the page of examples/browser", () => {
  let server: Server;
  let browser: Browser;
  let files: Map<string, string | Uint8Array>;

  beforeAll(async () => {
    files = await buildPage();
    server = createServer(({ url = "/" }, response) => {
      const name = new URL(url, "http://page").pathname.replace(/\/$/, "/index.html");
      const body = files.get(name);
      response.writeHead(body ? 200 : 404, { "content-type": TYPES[name.split(".").at(-1)!] ?? "text/plain" });
      response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    browser = await chromium.launch({
      executablePath: findChromium(),
      args: ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
    });
  });

  afterAll(async () => {
    await browser.close();
    server.close();
  });

  /** Opens the page, waits until it is done or has failed, and reads it. */
  async function visit(query: string, script?: string) {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    page.on("pageerror", ({ message }) => errors.push(message));
    if (script) await page.addInitScript(script);
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/?${query}`);
    await page.waitForFunction("/^Trained|Error: /.test(document.querySelector('#status').textContent)");
    const texts = (selector: string) => page.locator(selector).allTextContents();
    const read = {
      status: (await texts("#status"))[0],
      losses: (await texts("#epochs td:nth-child(2)")).map(Number),
      captions: await texts("figcaption"),
      inked: await page.locator("canvas").evaluateAll((all) =>
        (all as { getContext(kind: string): { getImageData(...box: number[]): { data: Uint8Array } } }[]).map(
          (canvas) =>
            canvas
              .getContext("2d")
              .getImageData(0, 0, 12, 12)
              .data.some((value, at) => at % 4 < 3 && value > 127),
        ),
      ),
      errors,
    };
    await page.close();
    return read;
  }

  it("trains on the browser's WebGPU: the loss falls, ten digits are shown, and nothing is complained of", async () => {
    const { status, losses, captions, inked, errors } = await visit(
      "images=150&test=50&epochs=6&size=12&device=webgpu",
    );
    expect(errors).toEqual([]);
    expect(status).toMatch(/^Trained on .*SwiftShader.*: \d+\.\d% of 50 new digits are right\.$/i);
    expect(losses).toHaveLength(6);
    expect(losses[5]).toBeLessThan(losses[0] - 0.1);
    expect(captions).toHaveLength(10);
    for (const caption of captions) expect(caption).toMatch(/^\d \(\d+%\)$/);
    expect(inked).toEqual(Array<boolean>(10).fill(true));
  });

  it("computes on the CPU in a browser without WebGPU, and says what is missing where WebGPU is asked for", async () => {
    const without = "Object.defineProperty(navigator, 'gpu', { value: undefined })";
    const { status, errors } = await visit("images=20&test=10&epochs=1&size=12", without);
    expect(errors).toEqual([]);
    expect(status).toMatch(/^Trained on the CPU, since this browser has no WebGPU/);
    const { status: refusal } = await visit("device=webgpu", without);
    expect(refusal).toMatch(/^DeviceError: this browser has no WebGPU \(navigator\.gpu is missing\)/);
  });
});
