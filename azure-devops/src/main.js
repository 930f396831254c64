// @ts-check
'use strict';

/**
 * A task: inputs → the program → its result as the result of the task. What the program finds it says
 * itself, as issues of the run.
 */

const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const inputsModule = require('./inputs');

/**
 * @param {'Iefctl' | 'IefctlBuild' | 'IefctlDeploy'} task
 * @param {string} folder where task.json, release.json and targets.json lie
 */
async function main(task, folder) {
  const values = inputsModule.take(process.env);
  const tl = require('azure-pipelines-task-lib/task');
  const { harmless } = require('./relay');
  try {
    await perform(tl, task, folder, values);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    tl.setResult(tl.TaskResult.Failed, harmless(message));
  }
}

/**
 * @param {typeof import('azure-pipelines-task-lib/task')} tl
 * @param {'Iefctl' | 'IefctlBuild' | 'IefctlDeploy'} task @param {string} folder
 * @param {Map<string, string>} values the inputs
 */
async function perform(tl, task, folder, values) {
  const { program } = require('./install');
  const { line } = require('./commands');
  const { signIn, VARIABLES } = require('./signin');
  const { run, harmless } = require('./relay');
  const { outputs } = require('./outputs');

  /** @param {string} name */
  const json = (name) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'));
  const inputs = new inputsModule.Inputs(path.join(folder, 'task.json'), values);
  const agentFolder = tl.getVariable('Agent.TempDirectory') || os.tmpdir();
  const temporary = path.join(agentFolder, `iefctl-${crypto.randomUUID()}`);
  const cwd = path.resolve(inputs.text('workingDirectory') ?? process.cwd());
  if (!fs.existsSync(cwd)) {
    throw new Error('input workingDirectory is no folder');
  }
  process.chdir(cwd);

  const credentials = signIn(tl, inputs);
  try {
    const caFile = tl.getHttpCertConfiguration()?.caFile || undefined;
    const command = line(task, inputs, temporary, { ...credentials, caFile });
    const file = await program(tl, inputs, json('release.json'), json('targets.json'));
    fs.mkdirSync(temporary, { recursive: true });
    const report = path.join(temporary, 'report.json');
    const env = environment();
    /** @param {string[]} args */
    const start = (args) => {
      tl.debug(harmless(`${file} ${JSON.stringify(args)}`));
      return run(file, args, { env, cwd, temporary: agentFolder });
    };
    const ended = await start(command.args);
    if (command.command === 'build' && ended.status === 1) {
      // The build says how many errors there are, the validation which.
      await explain(start, command.args);
    }
    const variables = outputs(report);
    for (const [name, value] of Object.entries(variables ?? {})) {
      tl.setVariable(name, harmless(value), false, true);
    }
    if (command.planPath && fs.existsSync(command.planPath)) {
      tl.setVariable('planPath', command.planPath, false, true);
    }
    conclude(ended, command.command, variables?.summary);

    /** What the program gets to know: nothing of other ways to sign in where the inputs choose one. */
    function environment() {
      /** @type {NodeJS.ProcessEnv} */
      const all = { ...process.env };
      if (credentials.explicit || !command.reachesTenant) {
        VARIABLES.forEach((name) => delete all[name]);
      }
      if (command.reachesTenant) {
        Object.assign(all, credentials.env, proxy(tl, inputs));
      }
      all.IEFCTL_REPORT = report;
      const settings = inputs.settings('settings');
      if (settings !== undefined) {
        all.IEFCTL_SETTINGS = settings;
      }
      return all;
    }
  } finally {
    for (const file of credentials.files) {
      fs.rmSync(file, { force: true });
    }
  }

  /**
   * @param {import('./relay').Ended} ended @param {string} command @param {string | undefined} summary
   */
  function conclude(ended, command, summary) {
    const said = ended.errors.join('\n');
    switch (ended.status) {
      case 0:
        return tl.setResult(tl.TaskResult.Succeeded, harmless(summary ?? ''));
      case 1:
        return tl.setResult(tl.TaskResult.Failed, harmless(summary ?? `iefctl ${command} found errors`));
      case 3:
        return tl.setResult(tl.TaskResult.Failed, harmless(`changes are pending: ${summary ?? ''}`));
      case null:
        return tl.setResult(tl.TaskResult.Failed, `iefctl ${command} was ended by ${ended.signal}`);
      default:
        return tl.setResult(
          tl.TaskResult.Failed,
          said || `iefctl ${command} could not run (exit status ${ended.status})`,
        );
    }
  }
}

/**
 * @param {(args: string[]) => Promise<unknown>} start @param {string[]} built
 */
async function explain(start, built) {
  const dropped = /^--(?:output|force|flat|all-environments)(?:=|$)/;
  const end = built.includes('--') ? built.indexOf('--') : built.length;
  const options = built.slice(1, end).filter((arg) => !dropped.test(arg));
  await start(['validate', ...options, ...built.slice(end)]);
}

/**
 * The proxy of the agent, for hosts that the agent reaches through it, unless the environment has one.
 *
 * @param {typeof import('azure-pipelines-task-lib/task')} tl
 * @param {import('./inputs').Inputs} inputs
 * @returns {Record<string, string>}
 */
function proxy(tl, inputs) {
  const isSet = ['https_proxy', 'http_proxy', 'all_proxy'].some(
    (name) => process.env[name] || process.env[name.toUpperCase()],
  );
  const configured = tl.getHttpProxyConfiguration();
  if (isSet || !configured) {
    return {};
  }
  const url = new URL(configured.proxyUrl);
  url.username = encodeURIComponent(configured.proxyUsername ?? '');
  url.password = encodeURIComponent(configured.proxyPassword ?? '');
  const endpoints = [
    'https://graph.microsoft.com', 'https://login.microsoftonline.com',
    'https://graph.microsoft.us', 'https://dod-graph.microsoft.us', 'https://login.microsoftonline.us',
    'https://microsoftgraph.chinacloudapi.cn', 'https://login.partner.microsoftonline.cn',
    tl.getVariable('System.OidcRequestUri'), inputs.text('graphEndpoint'), inputs.text('loginEndpoint'),
  ];
  const direct = endpoints
    .filter((endpoint) => endpoint && URL.canParse(endpoint) && !tl.getHttpProxyConfiguration(endpoint))
    .map((endpoint) => new URL(/** @type {string} */ (endpoint)).hostname);
  return { HTTPS_PROXY: url.href, HTTP_PROXY: url.href, NO_PROXY: [...new Set(direct)].join(',') };
}

module.exports = { main };
