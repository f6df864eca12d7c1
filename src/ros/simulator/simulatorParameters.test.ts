import { describe, expect, test } from "@jest/globals";
import { Fault } from "../../faults/Fault.js";
import { checkSimulateDriveOptions } from "../../simulation/SimulateDriveOptions.js";
import { overridesOf } from "../parameters/exampleOverrides.js";
import { driveOptions, SIMULATOR_PARAMETERS, SimulatorParameters } from "./simulatorParameters.js";

function parametersOf(values: Readonly<Record<string, unknown>> = {}): SimulatorParameters {
  return new SimulatorParameters({ nodeName: "/robot/ditr_simulator", overrides: overridesOf(values) });
}

describe("SimulatorParameters", () => {
  test("defaults are what can be simulated", () => {
    const { settings } = parametersOf();
    expect(settings.rate).toBe(10);
    const options = driveOptions(settings);
    checkSimulateDriveOptions(options);
    expect(options.scanCount).toBe(50);
  });

  test("takes overrides for its own name, and tells those of other nodes apart", () => {
    const overrides = [
      { nodeName: "/**", name: "rate", value: { type: "integer", value: 5n } as const },
      { nodeName: "/other", name: "rate", value: { type: "double", value: 2 } as const },
      { nodeName: "/**", name: "model", value: { type: "string", value: "x" } as const },
    ];
    const parameters = new SimulatorParameters({ nodeName: "/robot/ditr_simulator", overrides });
    expect(parameters.settings.rate).toBe(5);
    expect(parameters.unknown).toEqual(["model"]);
  });

  test.each([
    [{ rate: 20 }, "rate is 20.0, but it must be a number from 0.1 to 10.0 Hz"],
    [{ lidar: "sonar" }, 'lidar is "sonar", but it must be one of'],
    [{ columns: true }, "columns is the bool true, but it must be an integer from 4 to 8192"],
  ])("refuses %j", (values, sentence) => {
    expect(() => parametersOf(values)).toThrow(Fault);
    expect(() => parametersOf(values)).toThrow(sentence);
  });

  test("answers the parameter services, and changes nothing", () => {
    const parameters = parametersOf({ seconds: 1.5 });
    expect(parameters.list([], 0).names).toEqual(Object.keys(SIMULATOR_PARAMETERS).sort());
    expect(parameters.get(["seconds", "nothing"])).toEqual([
      { type: "double", value: 1.5 },
      { type: "not_set" },
    ]);
    expect(parameters.getTypes(["columns", "nothing"])).toEqual(["integer", "not_set"]);
    expect(parameters.describe(["columns"])[0]).toMatchObject({ readOnly: true, type: "integer" });
    const answer = parameters.set([{ name: "rate", value: { type: "double", value: 1 } }]);
    expect(answer[0]).toMatchObject({ successful: false });
    expect(parameters.settings.rate).toBe(10);
  });
});
