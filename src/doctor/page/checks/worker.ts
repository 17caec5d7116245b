/** Checks of the service worker: is it there, and does it get to see pushes. */
import type { Check, Finding } from "../../check.ts";
import type { PageFacts } from "../facts.ts";
import type { Page } from "../page.ts";
import { folderOf, placeOf } from "../places.ts";
import type { Registration } from "../registrations.ts";
import { lastName } from "../script.ts";
import { workerListeners } from "../workers.ts";
import { blindSpot, good, orGood, pageCheck, whereFile, whereIs } from "./finding.ts";

export const workerChecks: readonly Check<PageFacts>[] = [
  pageCheck(
    {
      id: "page.worker.registered",
      title: "service worker registered",
      why: "pushes are delivered to a service worker; without one a browser cannot even subscribe",
    },
    (page) => {
      if (page.registrations.length > 0) return page.registrations.flatMap((one) => registered(page, one));
      return [notRegistered(page)];
    },
  ),
  pageCheck(
    {
      id: "page.worker.push-listener",
      title: "worker listens for pushes",
      why: "a push that no listener takes shows nothing, and Chrome puts a notification of its own in its place",
    },
    (page) =>
      page.workers.flatMap((worker): readonly Finding[] => {
        const [listener] = workerListeners(worker, "push", page.sources);
        if (listener !== undefined) return good(`push listener at ${whereIs(page, listener)}`);
        const where = whereFile(page, worker.path);
        const [foreign] = worker.foreign;
        if (foreign !== undefined) {
          return [{ level: "skipped", what: `no push listener here; ${foreign} may have one`, where }];
        }
        const fix = 'add self.addEventListener("push", …) at the top of the worker';
        return [{ level: "problem", what: "the worker does not listen for pushes", fix, where }];
      }),
  ),
  pageCheck(
    {
      id: "page.worker.scope",
      title: "worker's scope",
      why: "a worker is responsible for the folder it lies in; pages above it wait in vain for serviceWorker.ready",
    },
    (page) =>
      page.registrations.length === 0
        ? []
        : orGood(
            page.registrations.flatMap((one) => scopeFindings(page, one)),
            "the worker is responsible for the pages that register it",
          ),
  ),
  pageCheck(
    {
      id: "page.worker.address",
      title: "worker's address stays",
      why: "a browser looks for a newer worker at the address it registered; a moved one leaves old workers or their subscriptions behind",
    },
    (page) =>
      page.registrations.length === 0
        ? []
        : orGood(
            page.registrations.filter(hasVersion).map((one) => ({
              level: "warning",
              what: `the worker's address has a version in it: ${one.address ?? ""}`,
              fix: "register the worker under one name for ever, such as /sw.js",
              where: whereIs(page, one),
            })),
            "no version in it",
          ),
  ),
  pageCheck(
    {
      id: "page.worker.update",
      title: "updates of the worker",
      why: "what a worker imports may come from the HTTP cache for a day, so that a new worker runs with old parts",
    },
    (page) => {
      const stale = page.registrations.filter(
        ({ place, hasUpdateRule }) =>
          hasUpdateRule === false &&
          place.kind === "inside" &&
          page.workers.some(
            ({ path, scripts, foreign }) => path === place.path && scripts.length + foreign.length > 1,
          ),
      );
      if (page.registrations.length === 0) return [];
      return orGood(
        stale.map((one) => ({
          level: "note",
          what: "what the worker imports may come out of the HTTP cache",
          fix: 'register it with { updateViaCache: "none" }',
          where: whereIs(page, one),
        })),
        "a new version is found at once",
      );
    },
  ),
  pageCheck(
    {
      id: "page.worker.policy",
      title: "Content-Security-Policy",
      why: "a policy in the page can forbid its service worker, and registering it fails",
    },
    (page) => {
      const html = page.htmls.filter(({ policies }) => policies.length > 0);
      if (html.length === 0 || page.registrations.length === 0) return [];
      return orGood(
        html.flatMap(({ path, policies }) =>
          policies.flatMap(({ value, line }) => policyFindings(page, value, path, line)),
        ),
        "allows the worker",
      );
    },
  ),
];

function registered(page: Page, one: Registration): readonly Finding[] {
  const where = whereIs(page, one);
  const { place } = one;
  if (place.kind === "unclear") {
    return [
      { level: "skipped", what: "which file is registered is computed, and cannot be read off", where },
    ];
  }
  if (place.kind === "outside") {
    const fix = "copy the worker to your own site, and register it from there";
    return [
      { level: "problem", what: `a worker of another site is registered: ${one.address ?? ""}`, fix, where },
    ];
  }
  if (page.files.paths.has(place.path)) return good(`${whereFile(page, place.path)}, registered at ${where}`);
  return [
    {
      level: "problem",
      what: `the registered worker is not there: ${whereFile(page, place.path)}`,
      fix: "put the worker at that address, or correct the address",
      where,
    },
  ];
}

function notRegistered(page: Page): Finding {
  const blind = blindSpot(page);
  const [worker] = page.workers;
  if (worker !== undefined) {
    const where = whereFile(page, worker.path);
    if (blind !== undefined)
      return { level: "skipped", what: `nothing seen that registers it; ${blind}`, where };
    const fix = `call navigator.serviceWorker.register("/${worker.path}") in the page`;
    return { level: "problem", what: "no page registers the worker", fix, where };
  }
  if (blind !== undefined) return { level: "skipped", what: `no service worker seen; ${blind}` };
  return {
    level: "problem",
    what: "no page registers a service worker",
    fix: "run `webpush scaffold` for a page and a worker to start from",
  };
}

function scopeFindings(page: Page, one: Registration): readonly Finding[] {
  const { place, scope, pages } = one;
  if (place.kind !== "inside" || scope === "unclear") return [];
  if (!page.files.paths.has(place.path)) return []; // page.worker.registered says it
  const own = folderOf(place.path);
  const where = whereIs(page, one);
  const wanted = scope === "absent" ? own : scopePath(scope.text, pages[0]?.path ?? "index.html");
  if (wanted === undefined) return [];
  if (!wanted.startsWith(own)) {
    return [
      {
        level: "warning",
        what: `the scope /${wanted} reaches beyond the worker's folder /${own}`,
        fix: `move the worker up, or have it served with the header Service-Worker-Allowed: /${wanted}`,
        where,
      },
    ];
  }
  const outside = pages.find(({ path }) => !path.startsWith(wanted));
  if (outside === undefined) return [];
  const waits = page.scripts.some(({ nodes }) =>
    nodes.some(
      (node) =>
        node.type === "MemberExpression" &&
        lastName(node) === "ready" &&
        lastName(node.object) === "serviceWorker",
    ),
  );
  return [
    {
      level: waits ? "problem" : "warning",
      what: waits
        ? `${outside.path} lies outside of the worker's scope /${wanted}, and waits for serviceWorker.ready for ever`
        : `${outside.path} lies outside of the worker's scope /${wanted}`,
      fix: "move the worker to the folder of the page, best to the top of the site",
      where,
    },
  ];
}

function scopePath(text: string, from: string): string | undefined {
  const place = placeOf(text, from);
  return place.kind === "inside" ? place.path : undefined;
}

/** `sw.3f9a1c2b.js`, `sw-v12.js`, `sw.js?v=3`. */
function hasVersion({ place, address }: Registration): boolean {
  if (place.kind !== "inside") return false;
  const name = place.path.slice(folderOf(place.path).length);
  const hash = /[._-](?=[a-z]*\d)[0-9a-z_-]{8,}\.(?:m|c)?js$/i.test(name);
  const version = /[._-]v?\d+(?:\.\d+)*\.(?:m|c)?js$/i.test(name);
  const query = /[?&](?:v|ver|version|hash|rev|t|ts|build|cb|_)=/i.test(address ?? "");
  return hash || version || query;
}

/** The directive that decides over workers, by the order of CSP 3. */
function policyFindings(page: Page, policy: string, path: string, line: number): readonly Finding[] {
  const directives = new Map<string, string>();
  for (const part of policy.split(";")) {
    const [name = "", ...sources] = part.trim().split(/\s+/);
    if (name !== "" && !directives.has(name.toLowerCase()))
      directives.set(name.toLowerCase(), sources.join(" "));
  }
  const name = ["worker-src", "child-src", "script-src", "default-src"].find((one) => directives.has(one));
  if (name === undefined) return [];
  const sources = (directives.get(name) ?? "").toLowerCase();
  if (/(?:^|\s)(?:'self'|\*|https?:)(?:\s|$)/.test(sources)) return [];
  const where = whereFile(page, path, line);
  // A host may be the site's own, and strict-dynamic has rules of its own.
  if (/[a-z0-9-]+\.[a-z]|'strict-dynamic'/.test(sources)) {
    return [{ level: "skipped", what: `cannot tell whether ${name} ${sources} allows the worker`, where }];
  }
  const fix = "add worker-src 'self' to the policy";
  return [
    { level: "problem", what: `the policy forbids the service worker: ${name} ${sources}`, fix, where },
  ];
}
