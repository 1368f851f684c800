import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** What the machine holds of Vulkan, as far as it bears on whether an adapter answers. */
export interface DriverFacts {
  readonly platform: string;
  /** Whether the Vulkan loader, `libvulkan.so.1`, is there. */
  readonly loader: boolean;
  /** File names of the drivers that the Vulkan loader finds. */
  readonly drivers: readonly string[];
  /** The environment variable that replaces the search for drivers, and those of its files that do not exist. */
  readonly chosen?: { readonly variable: string; readonly missing: readonly string[] };
  /** Version of Debian's and Ubuntu's package of Mesa's Vulkan drivers. */
  readonly mesa?: string;
  /** Whether the kernel's NVIDIA driver is loaded. */
  readonly nvidia: boolean;
}

const DRIVER_FOLDERS = ["/etc", "/etc/xdg", "/usr/local/etc", "/usr/local/share", "/usr/share"]
  .concat([".config", ".local/share"].map((folder) => join(homedir(), folder)))
  .map((folder) => join(folder, "vulkan/icd.d"));

const LIBRARY_FOLDERS = ["x86_64-linux-gnu", "aarch64-linux-gnu", ""].map((triplet) => join("/usr/lib", triplet));

const INSTALL = "`apt-get install mesa-vulkan-drivers libvulkan1` (on Debian 12 from bookworm-backports)";

/** Why no WebGPU adapter may answer on this machine, and the cure, in a sentence or two. */
export function describeNoAdapter(facts: DriverFacts = gatherDriverFacts()): string {
  const { platform, loader, drivers, chosen, mesa, nvidia } = facts;
  if (platform !== "linux") {
    return "The system's own graphics driver gives the adapter on macOS (Metal) and Windows (D3D12): update it.";
  }
  if (!loader) return `The Vulkan loader, libvulkan.so.1, is missing: ${INSTALL} brings it and a software driver.`;
  if (chosen) {
    const state = chosen.missing.length > 0 ? `names ${chosen.missing.join(", ")}, which does not exist` : "is set";
    return `${chosen.variable} ${state}: unset it to let Vulkan find the installed drivers.`;
  }
  if (nvidia && !drivers.some((driver) => driver.startsWith("nvidia"))) {
    return (
      "The NVIDIA kernel driver is loaded, but its Vulkan driver (nvidia_icd.json) is not installed: in a container set " +
      "NVIDIA_DRIVER_CAPABILITIES=all, elsewhere install the driver's Vulkan part (Debian: nvidia-vulkan-icd)."
    );
  }
  if (drivers.length === 0) return `No Vulkan driver is installed: ${INSTALL} brings a software one.`;
  if (mesa && isTooOld(mesa)) {
    return `Mesa ${mesa} is too old for Dawn, which needs 23.2 or later: ${INSTALL} brings a newer one.`;
  }
  return (
    `Vulkan drivers are installed (${drivers.join(", ")}), but Dawn takes none of them: \`vulkaninfo --summary\` ` +
    `(Debian: vulkan-tools) shows which of them find a device. For a software one: ${INSTALL}.`
  );
}

/** Dawn refuses lavapipe of Mesa 22.3; that of 23.2 is the oldest seen to work. Takes a package version, `25.0.7-2`. */
function isTooOld(mesa: string): boolean {
  const [major, minor] = mesa.replace(/^\d+:/, "").split(/[.-]/).map(Number);
  return major < 23 || (major === 23 && minor < 2);
}

function gatherDriverFacts(): DriverFacts {
  const variable = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].find((name) => process.env[name]);
  const files = variable ? process.env[variable]!.split(delimiter).filter(Boolean) : [];
  const libraries = [...LIBRARY_FOLDERS, ...(process.env.LD_LIBRARY_PATH ?? "").split(delimiter).filter(Boolean)];
  return {
    platform: process.platform,
    loader: [...libraries, "/usr/lib64", "/usr/local/lib"].some((folder) => existsSync(join(folder, "libvulkan.so.1"))),
    drivers: DRIVER_FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) =>
      readdirSync(folder).filter((name) => name.endsWith(".json")),
    ),
    chosen: variable ? { variable, missing: files.filter((file) => !existsSync(file)) } : undefined,
    mesa: packageVersion("mesa-vulkan-drivers"),
    nvidia: existsSync("/proc/driver/nvidia/version"),
  };
}

function packageVersion(name: string): string | undefined {
  try {
    return (
      execFileSync("dpkg-query", ["-W", "-f", "${Version}", name], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }).trim() || undefined
    );
  } catch {
    return undefined; // not installed, or a system without dpkg
  }
}
