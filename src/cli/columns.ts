/** How wide a terminal says it is. */

/** The columns of a terminal; undefined where it does not know, which some say as 0: serial lines, `script`. */
export function columnsOf({ columns }: { readonly columns?: number }): number | undefined {
  return columns === 0 ? undefined : columns;
}
