/** Checks of the web app manifest: on iPhone and iPad only an app on the home screen gets pushes. */
import type { Check, Finding } from "../../check.ts";
import type { PageFacts } from "../facts.ts";
import type { Page } from "../page.ts";
import { folderOf, placeOf } from "../places.ts";
import { blindSpot, good, orGood, pageCheck, whereFile } from "./finding.ts";

/** A manifest that a page links and the folder has. */
interface Manifest {
  readonly path: string;
  /** Undefined when it is no JSON object. */
  readonly fields: Readonly<Record<string, unknown>> | undefined;
}

export const manifestChecks: readonly Check<PageFacts>[] = [
  pageCheck(
    {
      id: "page.manifest.linked",
      title: "manifest",
      why: "on iPhone and iPad only apps on the home screen get pushes, and a page becomes one by its manifest",
    },
    (page) => linkedFindings(page),
  ),
  manifestCheck(
    {
      id: "page.manifest.readable",
      title: "manifest can be read",
      why: "a manifest that is not valid JSON is ignored as a whole",
    },
    (page, { path, fields }) =>
      fields !== undefined
        ? good("valid JSON")
        : warn(page, path, "the manifest is no JSON object", "mend it: no comments, no commas at the end"),
  ),
  fieldsCheck(
    {
      id: "page.manifest.display",
      title: "manifest: display",
      why: "iOS gives push only to web apps that open in a window of their own",
    },
    (page, path, { display }) =>
      display === "standalone" || display === "fullscreen"
        ? good(display)
        : warn(
            page,
            path,
            `display is ${display === undefined ? "missing" : JSON.stringify(display)}`,
            'write "display": "standalone"',
          ),
  ),
  fieldsCheck(
    {
      id: "page.manifest.name",
      title: "manifest: name",
      why: "notifications and the home screen show this name",
    },
    (page, path, fields) =>
      [fields["name"], fields["short_name"]].some((name) => typeof name === "string" && name.trim() !== "")
        ? good("is there")
        : warn(page, path, "the app has no name", 'write "name" and "short_name"'),
  ),
  fieldsCheck(
    {
      id: "page.manifest.icons",
      title: "manifest: icons",
      why: "Chrome installs an app only with icons of 192 and 512 pixels, and iOS shows the icon on each notification",
    },
    iconFindings,
  ),
  fieldsCheck(
    {
      id: "page.manifest.start",
      title: "manifest: start_url",
      why: "a start outside of the scope makes browsers ignore both",
    },
    startFindings,
  ),
  fieldsCheck(
    {
      id: "page.manifest.id",
      title: "manifest: id",
      why: "without an id the start_url is one: changing it makes a second app, and the first keeps its subscriptions",
    },
    (page, path, { id }) =>
      typeof id === "string" && id !== ""
        ? good("is there")
        : [
            {
              level: "note",
              what: "the manifest has no id",
              fix: 'write "id": "./" or a name of your own',
              where: whereFile(page, path),
            },
          ],
  ),
  pageCheck(
    {
      id: "page.manifest.apple-icon",
      title: "icon for iOS",
      why: "without an icon iOS puts a picture of the page on the home screen and on notifications",
    },
    (page) => {
      if (page.htmls.length === 0) return [];
      if (page.htmls.some(({ appleIcons }) => appleIcons.length > 0)) {
        return orGood(
          page.htmls.flatMap(({ path, appleIcons }) =>
            appleIcons
              .filter(({ value }) => isMissing(page, value, path))
              .map(({ value, line }) => ({
                level: "warning",
                what: `the icon for iOS is not there: ${value}`,
                fix: "put the file there, or correct the address",
                where: whereFile(page, path, line),
              })),
          ),
          "is there",
        );
      }
      const fix = 'add <link rel="apple-touch-icon" href="…"> with a picture of 180 pixels';
      return [{ level: "note", what: "no apple-touch-icon; iOS takes an icon of the manifest", fix }];
    },
  ),
];

type About = Pick<Check<PageFacts>, "id" | "title" | "why">;

function manifestCheck(
  about: About,
  look: (page: Page, manifest: Manifest) => readonly Finding[],
): Check<PageFacts> {
  return pageCheck(about, (page) => manifestsOf(page).flatMap((manifest) => look(page, manifest)));
}

function fieldsCheck(
  about: About,
  look: (page: Page, path: string, fields: Readonly<Record<string, unknown>>) => readonly Finding[],
): Check<PageFacts> {
  return manifestCheck(about, (page, { path, fields }) =>
    fields === undefined ? [] : look(page, path, fields),
  );
}

function warn(page: Page, path: string, what: string, fix: string): readonly Finding[] {
  return [{ level: "warning", what, fix, where: whereFile(page, path) }];
}

function manifestsOf(page: Page): readonly Manifest[] {
  const paths = page.htmls.flatMap(({ path, manifests }) =>
    manifests.flatMap(({ value }) => {
      const place = placeOf(value, path);
      return place.kind === "inside" && page.files.texts.has(place.path) ? [place.path] : [];
    }),
  );
  return [...new Set(paths)].map((path) => ({ path, fields: readObject(page.files.texts.get(path) ?? "") }));
}

function readObject(text: string): Manifest["fields"] {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether an address leads to a file of the folder that is not there. */
function isMissing(page: Page, address: string, from: string): boolean {
  const place = placeOf(address, from);
  return place.kind === "inside" && !page.files.paths.has(place.path);
}

function linkedFindings(page: Page): readonly Finding[] {
  if (page.htmls.length === 0) return [{ level: "skipped", what: "there is no HTML file in the folder" }];
  const links = page.htmls.flatMap(({ path, manifests }) => manifests.map((link) => ({ path, ...link })));
  const [first] = links;
  if (first === undefined) {
    const fix = 'add <link rel="manifest" href="manifest.webmanifest"> to the page';
    if (page.registrations.length === 0 && blindSpot(page) !== undefined) {
      return [{ level: "skipped", what: "no page links a manifest; a script may add one" }];
    }
    return [{ level: "warning", what: "no page links a manifest: no push on iPhone and iPad", fix }];
  }
  const missing = links.filter(({ path, value }) => isMissing(page, value, path));
  return orGood(
    missing.map(({ path, value, line }) => ({
      level: "warning",
      what: `the linked manifest is not there: ${value}`,
      fix: "put the file there, or correct the address",
      where: whereFile(page, path, line),
    })),
    `linked from ${whereFile(page, first.path)}`,
  );
}

function iconFindings(
  page: Page,
  path: string,
  { icons }: Readonly<Record<string, unknown>>,
): readonly Finding[] {
  const all = (Array.isArray(icons) ? (icons as readonly unknown[]) : []).filter((icon) => isObject(icon));
  if (all.length === 0)
    return warn(page, path, "the manifest has no icons", "add icons of 192 and 512 pixels");
  const sizes = all.flatMap(({ sizes: text }) =>
    typeof text === "string" ? text.toLowerCase().split(/\s+/) : [],
  );
  const widths = sizes.map((size) =>
    size === "any" ? Infinity : Number(/^(\d+)x\d+$/.exec(size)?.[1] ?? 0),
  );
  const lacking = [192, 512].filter((wanted) => !widths.some((width) => width >= wanted));
  const gone = all.flatMap(({ src }) => (typeof src === "string" && isMissing(page, src, path) ? [src] : []));
  return orGood(
    [
      ...lacking.flatMap((width) =>
        warn(page, path, `no icon of ${width} pixels`, `add one of ${width}x${width}`),
      ),
      ...gone.flatMap((src) =>
        warn(page, path, `the icon is not there: ${src}`, "put the file there, or correct the address"),
      ),
    ],
    "192 and 512 pixels are there",
  );
}

function startFindings(
  page: Page,
  path: string,
  fields: Readonly<Record<string, unknown>>,
): readonly Finding[] {
  const { start_url: start, scope } = fields;
  if (typeof start !== "string") {
    return [
      {
        level: "note",
        what: "no start_url: the app opens where it was added",
        fix: 'write "start_url": "./"',
        where: whereFile(page, path),
      },
    ];
  }
  const from = placeOf(start, path);
  if (from.kind === "outside")
    return warn(page, path, `start_url is another site: ${start}`, "name a page of your own site");
  const within = typeof scope === "string" ? placeOf(scope, path) : undefined;
  // Without a scope it is the folder of start_url.
  const top =
    within === undefined
      ? from.kind === "inside"
        ? folderOf(from.path)
        : ""
      : within.kind === "inside"
        ? within.path
        : undefined;
  if (from.kind !== "inside" || top === undefined || from.path.startsWith(top))
    return good("lies in the scope");
  return warn(
    page,
    path,
    `start_url ${start} is outside of the scope ${String(scope)}`,
    "widen the scope, or start inside of it",
  );
}
