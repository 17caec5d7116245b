/**
 * A real terminal of a fixed size for pictures: tmux on a socket of its own, and its screen as HTML.
 *
 * The commands run as a person would run them, with colours; only drawing is ours.
 */
import { execFileSync } from "node:child_process";

const escape = (text) => text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);

/** Opens a terminal that runs a shell in `cwd`; `env` is all it knows. */
export function openTerminal({ columns, rows, cwd, env }) {
  const socket = `picture-${process.pid}-${Math.random().toString(36).slice(2)}`;
  const tmux = (...args) =>
    execFileSync("tmux", ["-L", socket, "-f", "/dev/null", ...args], { encoding: "utf8", env });
  const size = ["-x", String(columns), "-y", String(rows)];
  // No history: it would be written into `cwd`, the home of these shells, after they were told to end.
  tmux(
    "new-session",
    "-d",
    ...size,
    "-c",
    cwd,
    "env",
    "PS1=$ ",
    "HISTFILE=",
    "bash",
    "--norc",
    "--noprofile",
  );
  tmux("set", "-g", "status", "off");
  return {
    /** Types a line and presses Enter. */
    type(line) {
      tmux("send-keys", "-l", line);
      tmux("send-keys", "Enter");
    },
    press: (key) => tmux("send-keys", key),
    text: () => tmux("capture-pane", "-p"),
    html: () => toHtml(tmux("capture-pane", "-e", "-p")),
    close: () => tmux("kill-server"),
  };
}

/** A screen with its SGR sequences (ECMA-48 §8.3.117) as HTML; sequences of other kinds are dropped. */
function toHtml(screen) {
  let style = {};
  const lines = screen.trimEnd().split("\n");
  return lines
    .map((line) => {
      const parts = line.split(/\u001b\[([\d;]*)m/);
      return parts
        .map((part, index) => {
          if (index % 2 === 0)
            return part === "" ? "" : `<span class="${classesOf(style)}">${escape(part)}</span>`;
          style = after(style, part === "" ? [0] : part.split(";").map(Number));
          return "";
        })
        .join("");
    })
    .join("\n");
}

function after(style, codes) {
  let next = { ...style };
  for (const code of codes) {
    if (code === 0) next = {};
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 22) next = { ...next, bold: false, dim: false };
    else if (code === 39) next.colour = undefined;
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) next.colour = code;
  }
  return next;
}

function classesOf({ bold, dim, colour }) {
  return [bold && "bold", dim && "dim", colour && `c${colour}`].filter(Boolean).join(" ");
}
