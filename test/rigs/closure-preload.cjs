// Loaded into the compiler's process by --require: writes down each question that it asks the disk about a relative
// path, with the answer. Relative paths are the compiler's own; Node and moc-js ask by absolute ones.
const fs = require('node:fs');

const { appendFileSync } = fs;
const log = process.env.CLOSURE_TRACE;

for (const name of ['statSync', 'readFileSync', 'readdirSync']) {
  const ask = fs[name];
  fs[name] = (path, ...rest) => {
    try {
      const answer = ask(path, ...rest);
      note(name, path, true);
      return answer;
    } catch (error) {
      note(name, path, false);
      throw error;
    }
  };
}

function note(question, path, there) {
  if (typeof path !== 'string' || path.startsWith('/')) return;
  appendFileSync(log, `${JSON.stringify({ question, path, there })}\n`);
}
