import { BAG_SUBJECTS } from "./bagSubjects.mjs";
import { MESSAGE_SUBJECTS } from "./messageSubjects.mjs";
import { PIPELINE_SUBJECTS } from "./pipelineSubjects.mjs";

/** What is damaged; `share` says how many of the cases are its. */
export const SUBJECTS = { ...MESSAGE_SUBJECTS, ...BAG_SUBJECTS, ...PIPELINE_SUBJECTS };
