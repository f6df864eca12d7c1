import js from "@eslint/js";
import prettier from "eslint-config-prettier";
import { createTypeScriptImportResolver } from "eslint-import-resolver-typescript";
import importX from "eslint-plugin-import-x";
import tseslint from "typescript-eslint";

/**
 * The floors of the house, lowest first. A folder may import from its own floor and from those below,
 * never from above; cycles are refused everywhere.
 */
const FLOORS = [
  ["faults", "scene"],
  ["files"],
  ["geometry", "camera", "transforms", "messages", "simulation"],
  ["sync", "model"],
  ["perception"],
  ["ros", "bag", "report", "evaluation"],
  ["library"],
  ["cli"],
];

const upwardImports = FLOORS.flatMap((folders, floor) =>
  folders.map((folder) => ({
    target: `./src/${folder}`,
    from: FLOORS.slice(floor + 1)
      .flat()
      .map((above) => `./src/${above}`),
    message: `src/${folder} is on floor ${floor} and may not import from a floor above it.`,
  })),
).filter((zone) => zone.from.length > 0);

const bagPathWithoutRos = ["bag", "report", "evaluation", "library", "cli"].map((folder) => ({
  target: `./src/${folder}`,
  from: "./src/ros",
  message: "The bag path never touches src/ros.",
}));

/** What runs in a browser shares the form of its data with the rest, and nothing else. */
const pageAlone = [
  {
    target: "./src/page",
    from: FLOORS.flat()
      .filter((folder) => folder !== "scene")
      .map((folder) => `./src/${folder}`),
    message: "src/page runs in a browser and may import src/scene alone.",
  },
  {
    target: FLOORS.flat().map((folder) => `./src/${folder}`),
    from: "./src/page",
    message: "src/page runs in a browser: its build is read as a file, and nothing imports it.",
  },
];

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", ".venv/", "training/", "demo-output/", "runs/", "site/"] },
  js.configs.recommended,
  {
    files: ["src/**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { "import-x": importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: {
      "import-x/resolver-next": [
        createTypeScriptImportResolver({ project: ["./tsconfig.json", "./src/page/tsconfig.json"] }),
      ],
    },
    rules: {
      "import-x/no-restricted-paths": [
        "error",
        { zones: [...upwardImports, ...bagPathWithoutRos, ...pageAlone] },
      ],
      "import-x/no-cycle": "error",
      "import-x/no-unresolved": "error",
      "import-x/no-default-export": "error",
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
      // Typed array kernels index where the bounds are known by construction.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "@typescript-eslint/prefer-for-of": "off",
      "no-console": "error",
    },
  },
  { files: ["src/cli/**/*.ts"], rules: { "no-console": "off" } },
  {
    files: ["**/*.{js,mjs,cjs}"],
    languageOptions: {
      globals: {
        process: "readonly",
        console: "readonly",
        require: "readonly",
        module: "writable",
        URL: "readonly",
        Buffer: "readonly",
        performance: "readonly",
        structuredClone: "readonly",
        setImmediate: "readonly",
        setTimeout: "readonly",
        clearTimeout: "readonly",
        setInterval: "readonly",
        clearInterval: "readonly",
      },
    },
  },
  prettier,
);
