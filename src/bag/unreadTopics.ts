import { Fault } from "../faults/Fault.js";
import { foreignTopic } from "../messages/foreignTypes.js";
import type { BagTopic } from "./types.js";

const MOST_LISTED = 8;

/**
 * One sentence about the topics of a file whose messages are in encodings that are not read; undefined when there are
 * none. Those of sensors are left to `foreignTopic`, which has a sentence with a way out for each of them.
 */
export function unreadTopics(path: string, topics: readonly BagTopic[]): Fault | undefined {
  const unread = topics.filter(
    ({ topic, type, messageEncoding, messageCount }) =>
      messageEncoding !== "cdr" &&
      messageCount > 0 &&
      foreignTopic(topic, type, messageEncoding) === undefined,
  );
  if (unread.length === 0) return undefined;
  const listed = unread
    .slice(0, MOST_LISTED)
    .map(
      ({ topic, type, messageEncoding }) =>
        `${topic} (${type === "" ? "" : `${type}, `}'${messageEncoding}')`,
    )
    .join(", ");
  const rest = unread.length > MOST_LISTED ? ` and ${unread.length - MOST_LISTED} more` : "";
  return new Fault(
    "unsupported-encoding",
    `${path}: only messages encoded as 'cdr' are read, so that ${unread.length === 1 ? "one topic is" : `${unread.length} topics are`} skipped: ${listed}${rest}`,
  );
}
