import type { Subscription } from "rxjs";
import type { Parameter, ParameterServer } from "../port/ParameterServer.js";
import {
  descriptorToMessage,
  parameterFromMessage,
  parameterToMessage,
  parameterTypeNumber,
  valueToMessage,
} from "./parameterMessages.js";
import type { PlainMessage, RclLifecycleNode, RclPublisher, RclQos } from "./rclnodejs.js";

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

export interface ParameterServicesOptions {
  readonly node: RclLifecycleNode;
  readonly fullyQualifiedName: string;
  readonly server: ParameterServer;
  /** Of /parameter_events: rmw_qos_profile_parameter_events. */
  readonly qos: RclQos;
}

/**
 * Serves the parameters of a node, tells /parameter_events what it starts with, and then of each change.
 *
 * @returns the subscription to the changes
 */
export function serveParameters(options: ParameterServicesOptions): Subscription {
  const { node, fullyQualifiedName, server, qos } = options;
  for (const [name, { type, answer }] of Object.entries(SERVICES)) {
    node.createService(`rcl_interfaces/srv/${type}`, `~/${name}`, (request, response) => {
      response.send(answer(server, request));
    });
  }
  // rclnodejs' own publisher is on the wrong topic where the node has a namespace: it is a relative name there.
  node.destroyPublisher(node._parameterEventPublisher);
  const publisher = node.createPublisher("rcl_interfaces/msg/ParameterEvent", "/parameter_events", { qos });
  const { names } = server.list([], 0);
  const values = server.get(names);
  const declared = names.map((name, index) => ({ name, value: values[index]! }));
  publishEvent(publisher, fullyQualifiedName, { new_parameters: declared.map(parameterToMessage) });
  return server.changed.subscribe((changed) => {
    publishEvent(publisher, fullyQualifiedName, { changed_parameters: changed.map(parameterToMessage) });
  });
}

function requestedParameters({ parameters }: PlainMessage): Parameter[] {
  return (parameters as readonly PlainMessage[]).map(parameterFromMessage);
}

function publishEvent(publisher: RclPublisher, node: string, what: PlainMessage): void {
  const now = BigInt(Date.now()) * 1_000_000n;
  publisher.publish({
    stamp: { sec: Number(now / 1_000_000_000n), nanosec: Number(now % 1_000_000_000n) },
    node,
    new_parameters: [],
    changed_parameters: [],
    deleted_parameters: [],
    ...what,
  });
}
