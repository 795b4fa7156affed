import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** A test fails for its reason or not at all: nothing faked, nothing left out silently, nothing tried again. */
const NO_FAKES = [
  {
    selector:
      'CallExpression[callee.object.name="vi"][callee.property.name=/^(mock|doMock|hoisted|fn|spyOn|stubGlobal|useFakeTimers)$/]',
    message: 'use the real part, or a program that can be broken',
  },
  {
    selector: 'MemberExpression[object.name=/^(test|it|describe)$/][property.name=/^(only|skip|todo|fails)$/]',
    message: 'a test that cannot run says why: test.skipIf, with the reason printed',
  },
  { selector: 'Property[key.name="retry"]', message: 'find out why it fails now and then' },
];

/** Node's own ways of looking at the disk. */
const UNSEEN = {
  importNames: [
    ...[
      'access',
      'accessSync',
      'existsSync',
      'lstat',
      'lstatSync',
      'readFile',
      'readFileSync',
      'readdir',
      'readdirSync',
    ],
    ...['readlink', 'readlinkSync', 'realpath', 'realpathSync', 'stat', 'statSync'],
  ],
  message: 'look through src/cache/disk.ts: the next build of the same must know what this one saw',
};

export default defineConfig(
  globalIgnores(['dist/', 'docs/', 'node_modules/', 'fixtures/', 'coverage/']),
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      eqeqeq: 'error',
    },
  },
  { files: ['src/build/**', 'src/cache/**'], rules: { 'no-console': 'error' } },
  {
    // What decides a build's answer is looked at through one file, which keeps what was seen for the next build.
    files: ['src/build/**', 'src/cli/{link,settings}.ts'],
    ignores: [
      'src/build/{call-place,compile,complexity,materialize,optimizer,package-copy,sandbox}.ts',
      'src/build/js-compiler/**',
      'src/build/inspect.ts',
      'src/build/doctor/**',
    ],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'node:fs', ...UNSEEN },
            { name: 'node:fs/promises', ...UNSEEN },
          ],
        },
      ],
    },
  },
  { files: ['test/**'], rules: { 'no-restricted-syntax': ['error', ...NO_FAKES] } },
  {
    files: ['**/*.mjs', '**/*.js', '**/*.cjs'],
    languageOptions: {
      globals: Object.fromEntries(
        ['process', 'console', 'Buffer', 'URL', 'performance', 'setTimeout', 'require', 'module', '__dirname'].map(
          (name) => [name, 'readonly'],
        ),
      ),
    },
    rules: { eqeqeq: 'error' },
  },
);
