import type { Subscription } from "rxjs";
import type { Parameter, ParameterServer } from "../port/ParameterServer.js";
import {
  descriptorToMessage,
  parameterFromMessage,
  parameterToMessage,
  parameterTypeNumber,
  valueToMessage,
} from "./parameterMessages.js";
import type { PlainMessage, RclLifecycleNode } from "./rclnodejs.js";

interface ParameterService {
  readonly type: string;
  readonly answer: (server: ParameterServer, request: PlainMessage) => PlainMessage;
}

/** Every parameter service of rcl_interfaces, by the last part of its name, and its answer. */
const SERVICES: Readonly<Record<string, ParameterService>> = {
  list_parameters: {
    type: "ListParameters",
    answer: (server, { prefixes, depth }) => ({
      result: server.list(prefixes as readonly string[], depth as bigint | number),
    }),
  },
  describe_parameters: {
    type: "DescribeParameters",
    answer: (server, { names }) => ({
      descriptors: server.describe(names as readonly string[]).map(descriptorToMessage),
    }),
  },
  get_parameters: {
    type: "GetParameters",
    answer: (server, { names }) => ({ values: server.get(names as readonly string[]).map(valueToMessage) }),
  },
  get_parameter_types: {
    type: "GetParameterTypes",
    answer: (server, { names }) => ({
      types: server.getTypes(names as readonly string[]).map(parameterTypeNumber),
    }),
  },
  set_parameters: {
    type: "SetParameters",
    answer: (server, request) => ({ results: server.set(requestedParameters(request)) }),
  },
  set_parameters_atomically: {
    type: "SetParametersAtomically",
    answer: (server, request) => ({ result: server.setAtomically(requestedParameters(request)) }),
  },
};

/**
 * Serves the parameters of a node, tells /parameter_events what it starts with, and then of each change.
 *
 * @returns the subscription to the changes
 */
export function serveParameters(
  node: RclLifecycleNode,
  fullName: string,
  server: ParameterServer,
): Subscription {
  for (const [name, { type, answer }] of Object.entries(SERVICES)) {
    node.createService(`rcl_interfaces/srv/${type}`, `~/${name}`, (request, response) => {
      response.send(answer(server, request));
    });
  }
  const { names } = server.list([], 0);
  const values = server.get(names);
  const declared = names.map((name, index) => ({ name, value: values[index]! }));
  publishEvent(node, fullName, { new_parameters: declared.map(parameterToMessage) });
  return server.changed.subscribe((changed) => {
    publishEvent(node, fullName, { changed_parameters: changed.map(parameterToMessage) });
  });
}

function requestedParameters({ parameters }: PlainMessage): Parameter[] {
  return (parameters as readonly PlainMessage[]).map(parameterFromMessage);
}

function publishEvent(node: RclLifecycleNode, fullName: string, what: PlainMessage): void {
  const now = BigInt(Date.now()) * 1_000_000n;
  node._parameterEventPublisher.publish({
    stamp: { sec: Number(now / 1_000_000_000n), nanosec: Number(now % 1_000_000_000n) },
    node: fullName,
    new_parameters: [],
    changed_parameters: [],
    deleted_parameters: [],
    ...what,
  });
}
