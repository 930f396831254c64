// @ts-check
'use strict';

/**
 * From inputs to command lines of the program. Values are joined to their options, and paths stand behind
 * `--`, so that no value can be taken for an option.
 *
 * @typedef {import('./inputs').Inputs} Inputs
 * @typedef {{ command: string, args: string[], reachesTenant: boolean, planPath?: string }} Line
 */

const path = require('node:path');

const COMMANDS = ['validate', 'plan', 'deploy', 'build', 'destroy'];
const REACH_TENANT = ['plan', 'deploy', 'destroy'];

/** Inputs that some commands know; beside another command they would do nothing. */
const ONLY = new Map([
  ['planFile', ['plan', 'deploy']],
  ['failOnChanges', ['plan']],
  ['diff', ['plan']],
  ['atomic', ['deploy']],
  ['prune', ['plan', 'deploy']],
  ['ledger', ['plan', 'deploy']],
  ['concurrency', ['deploy']],
  ['outputFolder', ['build']],
  ['with', ['validate', 'plan', 'deploy', 'build']],
  ['settings', ['validate', 'plan', 'deploy', 'build']],
  ['renumberSteps', ['validate', 'plan', 'deploy', 'build']],
  ['paths', ['validate', 'plan', 'deploy', 'build']],
  ['suffix', ['validate', 'plan', 'deploy', 'build']],
]);

/**
 * @param {'Iefctl' | 'IefctlBuild' | 'IefctlDeploy'} task
 * @param {Inputs} inputs
 * @param {string} temporary folder for a plan that has no other place
 * @param {{ cloud?: string, login?: string, caFile?: string }} place
 * @returns {Line}
 */
function line(task, inputs, temporary, place) {
  const command = commandOf(task, inputs);
  for (const [name, commands] of ONLY) {
    if (!commands.includes(command) && isSet(inputs, name)) {
      throw new Error(`input ${name} does nothing for ${command}, only for ${commands.join(', ')}`);
    }
  }
  const reachesTenant = REACH_TENANT.includes(command);
  /** @type {string[]} */
  const args = [command, '--format=azure'];
  /** @param {string} option @param {string | undefined} value */
  const option = (option, value) => value !== undefined && args.push(`--${option}=${value}`);
  /** @param {string} name @param {string} [spelling] */
  const flag = (name, spelling = name) => inputs.flag(name) && args.push(`--${spelling}`);

  option('environment', inputs.text('environment'));
  option('tenant', inputs.text('tenant'));
  option('config', inputs.text('configFile'));
  option('prefix', inputs.text('prefix'));
  option('suffix', inputs.text('suffix'));
  for (const folder of inputs.lines('with')) {
    option('with', folder);
  }
  flag('renumberSteps', 'renumber-steps');
  const verbosity = inputs.flag('verbose') ? 1 : 0;
  args.push(...Array(verbosity).fill('--verbose'));

  let planPath;
  switch (command) {
    case 'plan':
      planPath = path.resolve(inputs.text('planFile') ?? path.join(temporary, 'plan.json'));
      option('out', planPath);
      flag('failOnChanges', 'exit-code');
      flag('diff');
      break;
    case 'deploy':
      option('plan', inputs.text('planFile'));
      flag('atomic');
      break;
    case 'build':
      option('output', inputs.required('outputFolder'));
      // The tasks that this one replaces: without an environment all, each with its folder; with one
      // its files alone. They overwrite what is there.
      args.push(inputs.text('environment') ? '--flat' : '--all-environments');
      flag('overwrite', 'force');
      break;
    default:
  }
  if (reachesTenant) {
    flag('prune');
    option('ledger', inputs.text('ledger'));
    option('concurrency', inputs.text('concurrency'));
    option('cloud', inputs.text('cloud') ?? (hasEndpoint(inputs) ? undefined : place.cloud));
    option('graph-endpoint', inputs.text('graphEndpoint'));
    option('login-endpoint', inputs.text('loginEndpoint') ?? place.login);
    option('ca-certificate', place.caFile);
    flag('emulator');
  }
  if (command !== 'destroy') {
    const paths = inputs.lines('paths');
    if (paths.length > 0) {
      args.push('--', ...paths);
    } else if (task !== 'Iefctl') {
      inputs.required('paths');
    }
  }
  return { command, args, reachesTenant, planPath };
}

/** @param {Inputs} inputs @param {string} name */
function isSet(inputs, name) {
  const value = inputs.text(name);
  return value !== undefined && value.toLowerCase() !== 'false';
}

/** @param {Inputs} inputs */
function hasEndpoint(inputs) {
  return inputs.text('graphEndpoint') !== undefined || inputs.text('loginEndpoint') !== undefined;
}

/** @param {string} task @param {Inputs} inputs */
function commandOf(task, inputs) {
  switch (task) {
    case 'IefctlBuild':
      return 'build';
    case 'IefctlDeploy':
      return 'deploy';
    default: {
      const command = inputs.text('command') ?? 'validate';
      if (!COMMANDS.includes(command)) {
        throw new Error(`there is no command ${command}: choose one of ${COMMANDS.join(', ')}`);
      }
      return command;
    }
  }
}

module.exports = { line };
