/**
 * Where a browser is: the path that was given, the PATH, or the usual places of the system.
 */
import { accessSync, constants, statSync } from "node:fs";
import { platform as systemPlatform } from "node:os";
import { posix, win32 } from "node:path";
import { UserError } from "../base/errors.ts";
import { titleOf, type BrowserEnvironment, type BrowserName } from "./browser.ts";

export interface FindOptions {
  readonly env: BrowserEnvironment;
  readonly executable: string | undefined;
  readonly platform?: NodeJS.Platform;
  /** Whether a path is a program. */
  readonly isProgram?: (path: string) => boolean;
}

/** What they are called on a PATH, the likeliest first. */
const commands: Readonly<Record<BrowserName, readonly string[]>> = {
  chromium: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"],
  firefox: ["firefox", "firefox-esr"],
};

const macPlaces: Readonly<Record<BrowserName, readonly string[]>> = {
  chromium: [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ],
  firefox: ["/Applications/Firefox.app/Contents/MacOS/firefox"],
};

/** Below any of the folders for programs. */
const windowsPlaces: Readonly<Record<BrowserName, readonly string[]>> = {
  chromium: ["Chromium\\Application\\chrome.exe", "Google\\Chrome\\Application\\chrome.exe"],
  firefox: ["Mozilla Firefox\\firefox.exe"],
};
const windowsFolders = ["PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"];

/**
 * The path of a browser's program.
 *
 * @throws UserError `browser-missing`
 */
export function findBrowser(name: BrowserName, options: FindOptions): string {
  const { env, executable, platform = systemPlatform(), isProgram = isExecutableFile } = options;
  const candidates = executable === undefined ? usual(name, env, platform) : given(executable, env, platform);
  const found = candidates.find((path) => isProgram(path));
  if (found !== undefined) return found;
  if (executable === undefined) throw missing(name, platform);
  throw new UserError("browser-missing", `no program is at ${JSON.stringify(executable)}`, {
    kind: "failed",
    hints: [`name the program of ${titleOf(name)} itself, or leave --executable out`],
  });
}

function usual(name: BrowserName, env: BrowserEnvironment, platform: NodeJS.Platform): readonly string[] {
  const onPath = commands[name].flatMap((command) => onPathOf(command, env, platform));
  switch (platform) {
    case "darwin":
      return [...onPath, ...macPlaces[name]];
    case "win32":
      return [
        ...onPath,
        ...windowsFolders
          .flatMap((variable) => env[variable] ?? [])
          .flatMap((folder) => windowsPlaces[name].map((place) => win32.join(folder, place))),
      ];
    default:
      return onPath;
  }
}

/** A path stays one; a bare name is looked for on the PATH. */
function given(executable: string, env: BrowserEnvironment, platform: NodeJS.Platform): readonly string[] {
  return /[/\\]/.test(executable) ? [executable] : onPathOf(executable, env, platform);
}

function onPathOf(command: string, env: BrowserEnvironment, platform: NodeJS.Platform): readonly string[] {
  const rules = platform === "win32" ? win32 : posix;
  const path = platform === "win32" ? (env["Path"] ?? env["PATH"]) : env["PATH"];
  // An empty or relative part would mean the working folder: a browser is not looked for there.
  const folders = (path ?? "").split(rules.delimiter).filter((folder) => rules.isAbsolute(folder));
  const files = platform === "win32" ? [`${command}.exe`] : [command];
  return folders.flatMap((folder) => files.map((file) => rules.join(folder, file)));
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function missing(name: BrowserName, platform: NodeJS.Platform): UserError {
  return new UserError("browser-missing", `no ${titleOf(name)} is installed here`, {
    kind: "failed",
    hints: [install(name, platform), "if it is installed elsewhere, name its program with --executable PATH"],
  });
}

function install(name: BrowserName, platform: NodeJS.Platform): string {
  switch (platform) {
    case "darwin":
      return `install it: brew install --cask ${name}`;
    case "win32":
      return `install it: winget install ${name === "chromium" ? "Hibbiki.Chromium" : "Mozilla.Firefox"}`;
    default:
      return name === "chromium"
        ? "install it: apt-get install chromium (Debian), dnf install chromium (Fedora)"
        : "install it: apt-get install firefox-esr (Debian), dnf install firefox (Fedora)";
  }
}
