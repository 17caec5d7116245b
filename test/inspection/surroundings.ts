/** What the inspections of a test know: a clock that stands still, and whatever it adds. */
import { inspect } from "../../src/inspection/inspect.ts";
import type { Inspection, InspectionKind, Judgement, Surroundings } from "../../src/inspection/inspection.ts";
import { seededRandom, testNow } from "../support/test-context.ts";

function surroundings(over: Partial<Surroundings> = {}): Surroundings {
  return {
    clock: { now: () => testNow },
    random: seededRandom("inspection"),
    keys: [],
    receivers: [],
    endpoint: undefined,
    key: undefined,
    reveal: false,
    readFile: (name) => Promise.reject(new Error(`nothing should read ${name}`)),
    ...over,
  };
}

/** Inspects a text or bytes. */
export function look(
  thing: string | Uint8Array,
  over: Partial<Surroundings> = {},
  kind?: InspectionKind,
): Promise<readonly Inspection[]> {
  return inspect(typeof thing === "string" ? Buffer.from(thing) : thing, kind, surroundings(over));
}

/** The one inspection there is. */
export async function lookOnce(
  thing: string | Uint8Array,
  over: Partial<Surroundings> = {},
  kind?: InspectionKind,
): Promise<Inspection> {
  const [only, ...others] = await look(thing, over, kind);
  if (only === undefined || others.length > 0) throw new Error(`there are ${others.length + 1} inspections`);
  return only;
}

/** Facts by name. */
export function valuesOf({ facts }: Inspection): Readonly<Record<string, unknown>> {
  return Object.fromEntries(facts.map(({ name, value }) => [name, value]));
}

/** What is wrong, or odd, in words. */
export function troublesOf({ judgements }: Inspection): readonly string[] {
  return judgements.filter(isTrouble).map(({ what }) => what);
}

function isTrouble({ level }: Judgement): boolean {
  return level === "problem" || level === "warning";
}
