/** Topics for a sentence. */
export function listed(topics: readonly { readonly topic: string }[]): string {
  return topics.length === 0 ? "none" : topics.map(({ topic }) => topic).join(", ");
}
