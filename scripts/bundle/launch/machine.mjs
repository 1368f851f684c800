// Prints, as lines for a shell, the environment in which the bundle finds the machine's Vulkan loader and NVIDIA's
// driver: nothing where the machine has both in their usual places. What it sets and what is missing goes to stderr.

import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { fileURLToPath, URL } from "node:url";

/** Where the Vulkan loader looks for drivers by itself (and in the home folder, where no driver is installed). */
const KNOWN_FOLDERS = ["/etc", "/etc/xdg", "/usr/local/etc", "/usr/local/share", "/usr/share"].map((folder) =>
  join(folder, "vulkan/icd.d"),
);

/** Where else containers and hosted machines put the manifest of NVIDIA's driver. */
const OTHER_FOLDERS = ["/usr/local/nvidia/share/vulkan/icd.d", "/usr/local/nvidia/vulkan/icd.d"];

/** Where they put its libraries, without telling the dynamic linker. */
const NVIDIA_LIBRARIES = "/usr/local/nvidia/lib64";

const VARIABLES = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES"];

/**
 * What is to be set, and lines that say why.
 * @param {{ folder: string, loader: boolean, gpu: boolean, chosen: boolean, known: readonly string[],
 *   other: readonly string[], glx: boolean, egl: boolean, libraryPath: string, hidden: boolean }} facts the bundle's
 *   folder; whether the Vulkan loader is there, an NVIDIA device, and a variable that chooses drivers; manifests of
 *   NVIDIA's driver where the loader looks and where it does not; which of its two libraries load; LD_LIBRARY_PATH;
 *   whether its libraries lie in a folder that the linker does not know
 * @returns {{ environment: Record<string, string>, remarks: string[] }}
 */
export function chooseEnvironment(facts) {
  const libraries = [];
  const remarks = [];
  if (!facts.loader) {
    libraries.push(join(facts.folder, "lib"));
    remarks.push("the machine has no Vulkan loader (libvulkan.so.1): taking the bundle's");
  }
  if (facts.gpu && facts.hidden) {
    libraries.push(NVIDIA_LIBRARIES);
    remarks.push(`NVIDIA's libraries are in ${NVIDIA_LIBRARIES}, where the linker does not look: adding the folder`);
  }
  const manifest = facts.gpu && !facts.chosen ? chooseManifest(facts) : undefined;
  const environment = {};
  if (libraries.length > 0)
    environment.LD_LIBRARY_PATH = [...libraries, facts.libraryPath].filter(Boolean).join(delimiter);
  if (manifest) {
    // Loaders before 1.3.207 (Ubuntu 22.04) know only the older name, later ones prefer the newer one.
    environment.VK_DRIVER_FILES = environment.VK_ICD_FILENAMES = manifest.file;
    remarks.push(`${manifest.why}: VK_DRIVER_FILES=${manifest.file} (set it yourself for another driver)`);
  }
  return { environment, remarks };
}

/** The manifest that the Vulkan loader has to be told of; `undefined` where what it finds by itself is right. */
function chooseManifest({ folder, known, other, glx, egl, hidden }) {
  const own = (library) => join(folder, "launch", `nvidia-${library}.json`);
  // GLX needs the libraries of X11, which a machine without a screen may lack; EGL is the same driver without them.
  if (!glx && egl) return { file: own("egl"), why: "NVIDIA's Vulkan driver loads only by way of EGL" };
  if (known.length > 0) return undefined;
  if (other.length > 0) return { file: other[0], why: "NVIDIA's Vulkan driver is where the loader does not look" };
  if (glx || hidden) return { file: own("glx"), why: "NVIDIA's driver is there, its manifest for Vulkan is not" };
  return undefined;
}

/** One line a variable that a POSIX shell evaluates. */
export function exportLines(environment) {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`)
    .join("");
}

/** Whether the dynamic linker finds a library: what is no addon of Node loads, and is then refused for that. */
function loads(library) {
  try {
    process.dlopen({ exports: {} }, library);
    return true;
  } catch (error) {
    return /self-register/.test(error.message);
  }
}

function nvidiaManifests(folders) {
  return folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => /^nvidia.*\.json$/.test(name))
        .map((name) => join(folder, name)),
    );
}

function gatherFacts(folder) {
  const gpu = ["/dev/nvidiactl", "/proc/driver/nvidia/version"].some((file) => existsSync(file));
  const glx = gpu && loads("libGLX_nvidia.so.0");
  const egl = gpu && !glx && loads("libEGL_nvidia.so.0");
  return {
    folder,
    loader: loads("libvulkan.so.1"),
    gpu,
    chosen: VARIABLES.some((name) => process.env[name]),
    known: nvidiaManifests(KNOWN_FOLDERS),
    other: nvidiaManifests(OTHER_FOLDERS),
    glx,
    egl,
    libraryPath: process.env.LD_LIBRARY_PATH ?? "",
    hidden: !glx && !egl && existsSync(join(NVIDIA_LIBRARIES, "libGLX_nvidia.so.0")),
  };
}

/** Says that Dawn cannot be loaded, and why: only the CPU reference is left then. */
function describeDawn(folder) {
  const addon = join(folder, "node_modules/webgpu/dist", `${process.platform}-${process.arch}`, "dawn.node");
  try {
    createRequire(import.meta.url)(addon);
    return [];
  } catch (error) {
    const [reason] = error.message.split("\n");
    return [
      `Dawn does not load, so that only --device cpu works: ${reason}. It needs glibc 2.34 and libstdc++ of GCC 12 ` +
        "(Debian 12, Ubuntu 22.04): run it in a container of such a system, or put the folder of a newer libstdc++ " +
        "(conda has it in its lib) into LD_LIBRARY_PATH",
    ];
  }
}

function main(folder) {
  const { environment, remarks } = chooseEnvironment(gatherFacts(folder));
  for (const remark of [...remarks, ...describeDawn(folder)]) console.error(`run: ${remark}`);
  process.stdout.write(exportLines(environment));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(fileURLToPath(new URL("..", import.meta.url)));
