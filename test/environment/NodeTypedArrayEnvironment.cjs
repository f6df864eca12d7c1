// A Jest test runs in a vm context with typed array classes of its own, while worker threads, fs and
// native modules return arrays of the main context. One set of classes for both keeps `instanceof`
// and `toEqual` meaningful.
const vm = require("node:vm");
const { TestEnvironment } = require("jest-environment-node");

const SHARED = [
  "ArrayBuffer",
  "SharedArrayBuffer",
  "DataView",
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
];

module.exports = class NodeTypedArrayEnvironment extends TestEnvironment {
  constructor(config, context) {
    // jest-environment-node makes a context whose every access to a global, such as each Math.min, goes
    // through a Proxy: some 100 times slower for loops over points (jestjs/jest#5163). An ordinary global
    // object has no such cost.
    const { createContext } = vm;
    vm.createContext = () => createContext(vm.constants.DONT_CONTEXTIFY);
    try {
      super(config, context);
    } finally {
      vm.createContext = createContext;
    }
    for (const name of SHARED) this.global[name] = globalThis[name];
  }
};
