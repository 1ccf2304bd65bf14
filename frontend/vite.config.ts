import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const OUT = "../src/jingwei/web/static";

/** Writes each built file compressed as well, so that the server compresses nothing while it answers. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    closeBundle() {
      for (const entry of readdirSync(OUT, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(js|css|html|svg|json)$/.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        const content = readFileSync(path);
        if (content.length < 1024) continue;
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
        const quality = { [constants.BROTLI_PARAM_QUALITY]: 9 };
        writeFileSync(`${path}.br`, brotliCompressSync(content, { params: quality }));
      }
    },
  };
}

const WORKER = "field-worker";
/** The pages that open without a network: each has its own service worker, made from the same source. */
const SHELLS = [
  { worker: "field-worker", cache: "jingwei-shell-", page: "/field", html: "index.html", pages: "/src/field/FieldPage.tsx" },
  { worker: "citizen-worker", cache: "jingwei-citizen-", page: "/report", html: "citizen.html", pages: "/src/citizen/main.tsx" },
];

/** Puts into each service worker which files its pages need, and a version that follows from them. */
function shell(): Plugin {
  return {
    name: "shell",
    apply: "build",
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((one) => one.type === "chunk");
      const worker = chunks.find((one) => one.name === WORKER);
      const entry = chunks.find((one) => one.isEntry && one.name === "index");
      if (!worker || !entry) throw new Error("the shell of the pages is not complete");
      if (!worker.code.includes("JINGWEI_SHELL")) throw new Error("the service worker names no shell");
      const source = worker.code;
      for (const one of SHELLS) {
        const pages = chunks.find((chunk) => chunk.facadeModuleId?.endsWith(one.pages) || (chunk.isEntry && one.worker.startsWith(chunk.name)));
        if (!pages) throw new Error(`no chunk is made from ${one.pages}`);
        const files = new Set<string>(["/mode.js", "/mark.svg"]);
        const waiting = one.html === "index.html" ? [entry.fileName, pages.fileName] : [pages.fileName];
        for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
          const chunk = bundle[name];
          if (files.has(`/${name}`) || chunk?.type !== "chunk") continue;
          files.add(`/${name}`);
          for (const style of chunk.viteMetadata?.importedCss ?? []) files.add(`/${style}`);
          waiting.push(...chunk.imports);
        }
        const listed = [...files].sort();
        // The names of built files follow from their content; those of public/ do not.
        const fixed = ["public/mode.js", "public/mark.svg", one.html].map((path) => readFileSync(path, "utf-8"));
        const version = createHash("sha256").update([...listed, ...fixed].join("\n")).digest("hex").slice(0, 12);
        const told = JSON.stringify({ version, files: listed, page: one.page, cache: one.cache });
        const code = source.replaceAll("JINGWEI_SHELL", `(${told})`);
        if (one.worker === WORKER) worker.code = code;
        else this.emitFile({ type: "asset", fileName: `${one.worker}.js`, source: code });
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), shell(), compressed()],
  worker: { format: "es" },
  server: { proxy: { "/api": "http://127.0.0.1:8000" } },
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: "es2022",
    sourcemap: false,
    chunkSizeWarningLimit: 1600,
    rolldownOptions: {
      input: { index: "index.html", citizen: "citizen.html", [WORKER]: "src/field/worker.ts" },
      // The worker's address is always the same, and above the pages that it serves.
      output: { entryFileNames: (chunk) => (chunk.name === WORKER ? "[name].js" : "assets/[name]-[hash].js") },
    },
  },
});
