// @ts-check
'use strict';

/**
 * Running the program and passing on what it prints. The agent obeys commands in the output of a task,
 * and parts of that output are names and texts from policy files, which anybody who opens a pull request
 * can write. So only the commands that the program is known to print get through, at the beginning of a
 * line; everything else that looks like one is made harmless.
 *
 * @typedef {{ status: number | null, signal: NodeJS.Signals | null, errors: string[] }} Ended
 */

const { spawn } = require('node:child_process');
const path = require('node:path');
const readline = require('node:readline');

const ISSUE = /^##vso\[task\.logissue type=(?:error|warning);[^\]]*\]/;
const SECRET = '##vso[task.setsecret]';
const SUMMARY = /^##vso\[task\.uploadsummary\](.+)$/;

/**
 * A line of standard output.
 *
 * @param {string} line @param {string} temporary the only folder whose files may become a summary
 * @returns {string}
 */
function passed(line, temporary) {
  const issue = ISSUE.exec(line);
  if (issue) {
    return issue[0] + harmless(line.slice(issue[0].length));
  }
  const summary = SUMMARY.exec(line);
  if (summary) {
    const file = summary[1].replace(/%AZP25/g, '%');
    return path.dirname(path.resolve(file)) === path.resolve(temporary) ? line : harmless(line);
  }
  return harmless(line);
}

/** A line of standard error, where the program asks for masking. @param {string} line */
function said(line) {
  return line.startsWith(SECRET) ? SECRET + harmless(line.slice(SECRET.length)) : harmless(line);
}

/** @param {string} text */
function harmless(text) {
  return text.replace(/##(?=vso\[|\[)/gi, '# #');
}

/**
 * @param {string} program @param {string[]} args
 * @param {{ env: NodeJS.ProcessEnv, cwd: string, temporary: string }} options
 * @returns {Promise<Ended>}
 */
function run(program, args, { env, cwd, temporary }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'], shell: false });
    /** @type {NodeJS.Signals[]} */
    const signals = ['SIGINT', 'SIGTERM'];
    // A job that is cancelled: the program finishes running uploads and says what is done.
    const forward = signals.map((signal) => /** @type {const} */ ([signal, () => void child.kill(signal)]));
    forward.forEach(([signal, handler]) => process.on(signal, handler));
    /** @type {string[]} */
    const errors = [];
    readline.createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', (text) => {
      process.stdout.write(`${passed(text, temporary)}\n`);
    });
    readline.createInterface({ input: child.stderr, crlfDelay: Infinity }).on('line', (text) => {
      // The last error and what belongs to it is what the user needs to see on the page of the run.
      if (/^error(?:\[|:)/.test(text)) {
        errors.length = 0;
        errors.push(text);
      } else if (errors.length > 0 && errors.length < 20 && /^\s/.test(text)) {
        errors.push(text);
      }
      process.stdout.write(`${said(text)}\n`);
    });
    child.on('error', reject);
    child.on('close', (status, signal) => {
      forward.forEach(([name, handler]) => process.off(name, handler));
      resolve({ status, signal, errors: errors.map(harmless) });
    });
  });
}

module.exports = { run, passed, harmless };
