/** A table as Prettier would write it. */
export declare function markdownTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string;

/**
 * What a document of the repository has between `<!-- name: begin -->` and `<!-- name: end -->`. With UPDATE_DOCS=1 in
 * the environment `table` is written there first.
 */
export declare function documentedTable(document: string, name: string, table: string): string;
