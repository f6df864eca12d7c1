import type { ModelBundle } from "../../model/ModelBundle.js";
import type { PipelineSettings } from "../../perception/PipelineSettings.js";
import type { NodeSettings } from "../parameters/NodeSettings.js";

/**
 * The part of the settings that the pipeline works by, with classes by id.
 * Throws a Fault `invalid-configuration` for a class that the model does not have.
 */
export function pipelineSettings(
  { fusion, filter, boxScoreThreshold, colors }: NodeSettings,
  bundle: ModelBundle,
): PipelineSettings {
  const classIds = filter.classes.map((name) => bundle.classId(name));
  const { probabilityThreshold } = filter;
  return {
    fusion,
    ...(classIds.length > 0 && {
      filter: { classIds, ...(probabilityThreshold !== undefined && { probabilityThreshold }) },
    }),
    ...(boxScoreThreshold !== undefined && { boxScoreThreshold }),
    colors: new Map([...colors].map(([name, color]) => [bundle.classId(name), color])),
  };
}
