/**
 * The page of `demo --browser`: the scaffolded one, and a script that presses its button.
 *
 * The permission was given with the profile, so no person's gesture is needed; all
 * the rest is what a visitor's browser does.
 */
import type { VapidPublicKey } from "../../protocol/vapid.ts";
import { defaultAppName, defaultServerPath, defaultThemeColor } from "../../scaffold/answers.ts";
import { createPlan } from "../../scaffold/plan.ts";
import { readTemplate } from "../../scaffold/template.ts";
import { createMemorySite, type Site } from "../../server/site.ts";

/** Says by a beacon in which state the page is stuck, when it is. */
const script = `
const main = document.getElementById("main");
function look() {
  const { state } = main.dataset;
  if (state === "checking" || state === "on" || main.getAttribute("aria-busy") === "true") return;
  if (state === "off") document.getElementById("action").click();
  else report(state);
}
async function report(state) {
  observer.disconnect();
  const body = JSON.stringify({ type: "error", id: state, at: Date.now() });
  await fetch("${defaultServerPath}/events", { method: "POST", headers: { "content-type": "application/json" }, body });
}
const observer = new MutationObserver(look);
observer.observe(main, { attributes: true });
look();
`;

/** The demo's site for one key. */
export function createDemoSite(publicKey: VapidPublicKey): Site {
  const plan = createPlan(readTemplate("client"), {
    appName: defaultAppName,
    publicKey,
    server: defaultServerPath,
    themeColor: defaultThemeColor,
  });
  const files = new Map(plan.map(({ path, content }) => [path, content]));
  const index = Buffer.from(files.get("index.html") ?? "").toString();
  const tag = '<script type="module" src="demo.js"></script>';
  files.set("index.html", Buffer.from(index.replace("</head>", `${tag}</head>`)));
  files.set("demo.js", Buffer.from(script));
  return createMemorySite(files);
}
