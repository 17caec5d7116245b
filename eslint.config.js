import tseslint from "typescript-eslint";

/** `process`, the clock and randomness come in through Context: only cli/ may touch the real ones. */
const ambient = {
  "no-restricted-globals": [
    "error",
    { name: "process", message: "take it from Context; only src/cli may name process" },
  ],
  "no-restricted-properties": [
    "error",
    { object: "Date", property: "now", message: "take a Clock" },
    { object: "Math", property: "random", message: "take a Random" },
  ],
  "no-restricted-syntax": [
    "error",
    { selector: "ExportDefaultDeclaration", message: "name what you export" },
    {
      selector: "NewExpression[callee.name='Date'][arguments.length=0]",
      message: "take a Clock",
    },
  ],
};

export default tseslint.config(
  { ignores: ["dist/", "coverage/", "templates/"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "no-console": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
    },
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      "max-lines": ["warn", { max: 300, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["warn", { max: 60, skipBlankLines: true, skipComments: true }],
      // A switch over a closed union is one decision, however many cases it has.
      complexity: ["warn", { max: 12, variant: "modified" }],
      "max-params": ["warn", 4],
    },
  },
  {
    // Each branch is a form in which people write something: many small ones, and none of them without the others.
    files: ["src/doctor/page/**/*.ts"],
    rules: { complexity: ["warn", { max: 17, variant: "modified" }] },
  },
  { files: ["src/**/*.ts"], ignores: ["src/cli/**"], rules: ambient },
  {
    files: ["bench/**/*.ts", "scripts/**/*.ts"],
    rules: { "no-console": "off" },
  },
);
