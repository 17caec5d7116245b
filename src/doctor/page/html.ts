/** HTML read with parse5 into what the checks ask of it. Nothing here recurses, however deep the page is. */
import { parse, type DefaultTreeAdapterTypes as Tree } from "parse5";

/** A script that an HTML file contains or names. */
export interface HtmlScript {
  /** As written; undefined for a script inside of the file. */
  readonly src: string | undefined;
  readonly text: string;
  /** The line in the HTML file where `text` begins. */
  readonly line: number;
}

/** A `href` or `content` with the line it stands on. */
export interface HtmlReference {
  readonly value: string;
  readonly line: number;
}

export interface Html {
  readonly path: string;
  readonly scripts: readonly HtmlScript[];
  readonly manifests: readonly HtmlReference[];
  readonly appleIcons: readonly HtmlReference[];
  /** Content-Security-Policy in meta elements. */
  readonly policies: readonly HtmlReference[];
  /** Handlers in attributes that run without a press: `onload` of the body. */
  readonly onLoad: readonly HtmlReference[];
  /** Handlers in attributes that run on a press: `onclick`. */
  readonly onPress: readonly HtmlReference[];
}

const javascriptTypes = /^(?:|module|text\/javascript|application\/javascript|text\/babel)$/i;

export function parseHtml(path: string, text: string): Html {
  const found = {
    path,
    scripts: [] as HtmlScript[],
    manifests: [] as HtmlReference[],
    appleIcons: [] as HtmlReference[],
    policies: [] as HtmlReference[],
    onLoad: [] as HtmlReference[],
    onPress: [] as HtmlReference[],
  };
  for (const element of elementsOf(parse(text, { sourceCodeLocationInfo: true }))) {
    const line = element.sourceCodeLocation?.startLine ?? 1;
    const attributes = new Map(element.attrs.map(({ name, value }) => [name, value]));
    switch (element.tagName) {
      case "link": {
        const rel = (attributes.get("rel") ?? "").toLowerCase().split(/\s+/);
        const link = { value: attributes.get("href") ?? "", line };
        if (rel.includes("manifest")) found.manifests.push(link);
        if (rel.some((word) => word.startsWith("apple-touch-icon"))) found.appleIcons.push(link);
        break;
      }
      case "meta":
        if (attributes.get("http-equiv")?.toLowerCase() === "content-security-policy")
          found.policies.push({ value: attributes.get("content") ?? "", line });
        break;
      case "script":
        if (javascriptTypes.test((attributes.get("type") ?? "").trim()))
          found.scripts.push(scriptOf(element, attributes.get("src")));
    }
    for (const { name, value: code } of element.attrs) {
      if (!name.startsWith("on")) continue;
      (name === "onload" ? found.onLoad : found.onPress).push({ value: code, line });
    }
  }
  return found;
}

function scriptOf(element: Tree.Element, src: string | undefined): HtmlScript {
  const [inside] = element.childNodes;
  const text = inside !== undefined && "value" in inside ? inside.value : "";
  return { src, text, line: inside?.sourceCodeLocation?.startLine ?? 1 };
}

/** Every element in the order of the text, those inside of templates too. */
function* elementsOf(document: Tree.Document): Generator<Tree.Element> {
  const stack: Tree.Node[] = [document];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if ("tagName" in node) yield node;
    if ("content" in node) stack.push(node.content);
    if ("childNodes" in node) stack.push(...[...node.childNodes].reverse());
  }
}
