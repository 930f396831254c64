// @ts-check
'use strict';

/**
 * What an agent of Azure Pipelines is to a task: a folder for the job, variables and inputs in the
 * environment, commands in the output.
 */

const { spawn } = require('node:child_process');
const { EventEmitter } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');

const ROOT = path.join(__dirname, '..', '..');
const DIST = path.join(__dirname, '..', 'dist');

/** The program under test. */
const PROGRAM = path.resolve(
  process.env.IEFCTL_PROGRAM ??
    path.join(ROOT, 'target', 'debug', process.platform === 'win32' ? 'iefctl.exe' : 'iefctl'),
);

/**
 * @typedef {{ name: string, properties: Record<string, string>, data: string }} Command
 * @typedef {{
 *   log: string, commands: Command[], result: string, message: string,
 *   variables: Record<string, string>, secrets: string[], issues: Command[], status: number | null,
 * }} Finished
 * @typedef {{
 *   inputs?: Record<string, string>, env?: Record<string, string>,
 *   endpoints?: Record<string, { scheme: string, parameters: Record<string, string>, data?: Record<string, string> }>,
 * }} Step
 */

class Job {
  constructor() {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'iefctl-job-'));
    for (const name of ['temp', 'tools', 'work']) {
      fs.mkdirSync(path.join(this.folder, name));
    }
    this.work = path.join(this.folder, 'work');
    this.temp = path.join(this.folder, 'temp');
    this.spoken = new EventEmitter();
  }

  /** When the running task has said something. @param {RegExp} text @returns {Promise<void>} */
  says(text) {
    return new Promise((resolve) => {
      this.spoken.on('text', (log) => text.test(log) && resolve());
    });
  }

  end() {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  /** @param {string} name @param {string} text */
  write(name, text) {
    const file = path.join(this.work, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }

  /** @param {string} name */
  read(name) {
    return fs.readFileSync(path.join(this.work, name), 'utf8');
  }

  /** Copies the example set of the repository. @param {string} name */
  example(name) {
    fs.cpSync(path.join(ROOT, 'policies-example'), path.join(this.work, name), { recursive: true });
  }

  /** A program that writes what it got into a file; {@link got} reads it. */
  fake() {
    const file = path.join(this.folder, 'fake');
    const text =
      `#!${process.execPath}\nconst { argv, env } = process;\nconst fs = require('fs');\n` +
      'const pem = env.AZURE_CLIENT_CERTIFICATE_PATH;\n' +
      'const key = pem && fs.existsSync(pem) ? { text: fs.readFileSync(pem, "utf8"), mode: fs.statSync(pem).mode & 0o777 } : null;\n' +
      "fs.writeFileSync(__dirname + '/got.json', JSON.stringify({ args: argv.slice(2), env, key }));\n";
    fs.writeFileSync(file, text, { mode: 0o755 });
    return file;
  }

  /** @returns {{ args: string[], env: Record<string, string>, key: { text: string, mode: number } | null }} */
  got() {
    return JSON.parse(fs.readFileSync(path.join(this.folder, 'got.json'), 'utf8'));
  }

  /**
   * Runs a task as a step of the job.
   *
   * @param {'Iefctl' | 'IefctlBuild' | 'IefctlDeploy'} task @param {Step} step
   * @returns {Promise<Finished>}
   */
  async run(task, { inputs = {}, env = {}, endpoints = {} }) {
    /** @type {Record<string, string>} */
    const variables = {
      PATH: process.env.PATH ?? '',
      HOME: this.folder,
      TF_BUILD: 'True',
      AGENT_TEMPDIRECTORY: this.temp,
      AGENT_TOOLSDIRECTORY: path.join(this.folder, 'tools'),
      AGENT_WORKFOLDER: this.folder,
      SYSTEM_DEFAULTWORKINGDIRECTORY: this.work,
      ...env,
    };
    // An agent passes every input of task.json with its default.
    const manifest = JSON.parse(fs.readFileSync(path.join(DIST, task, 'task.json'), 'utf8'));
    const declared = manifest.inputs.map((/** @type {any} */ input) => [
      input.name,
      String(input.defaultValue ?? ''),
    ]);
    const program = 'iefctlPath' in inputs || 'version' in inputs ? {} : { iefctlPath: PROGRAM };
    for (const [name, value] of [...declared, ...Object.entries({ ...program, ...inputs })]) {
      variables[`INPUT_${name.replace(/ /g, '_').toUpperCase()}`] = value;
    }
    for (const [id, { scheme, parameters, data }] of Object.entries(endpoints)) {
      variables[`ENDPOINT_URL_${id}`] = 'https://management.azure.com/';
      variables[`ENDPOINT_AUTH_${id}`] = JSON.stringify({ scheme, parameters });
      variables[`ENDPOINT_AUTH_SCHEME_${id}`] = scheme;
      for (const [name, value] of Object.entries(parameters)) {
        variables[`ENDPOINT_AUTH_PARAMETER_${id}_${name.toUpperCase()}`] = value;
      }
      for (const [name, value] of Object.entries(data ?? {})) {
        variables[`ENDPOINT_DATA_${id}_${name.toUpperCase()}`] = value;
      }
    }
    const child = spawn(process.execPath, [path.join(DIST, task, 'index.js')], {
      cwd: this.work,
      env: variables,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        log += text;
        this.spoken.emit('text', log);
      });
    }
    const status = await new Promise((resolve) => child.on('close', resolve));
    return obey(log, status);
  }
}

/** What an agent does with the output. @param {string} log @param {number | null} status @returns {Finished} */
function obey(log, status) {
  /** @type {Command[]} */
  const commands = [];
  for (const line of log.split(/\r?\n/)) {
    // An agent finds a command anywhere in a line.
    const match = /##vso\[([\w.]+)\s*([^\]]*)\](.*)$/.exec(line);
    if (match) {
      const [, name, list, data] = match;
      const pairs = list.split(';').filter((pair) => pair.includes('='));
      const properties = pairs.map((pair) => {
        const at = pair.indexOf('=');
        return [pair.slice(0, at).trim(), unescape(pair.slice(at + 1))];
      });
      commands.push({ name, properties: Object.fromEntries(properties), data: unescape(data) });
    }
  }
  /** @param {string} name */
  const named = (name) => commands.filter((command) => command.name === name);
  const complete = named('task.complete');
  const worst = complete.find(({ properties }) => properties.result === 'Failed') ?? complete.at(-1);
  return {
    log,
    status,
    commands,
    result: worst?.properties.result ?? 'none',
    message: worst?.data ?? '',
    variables: Object.fromEntries(
      named('task.setvariable').map(({ properties, data }) => [properties.variable, data]),
    ),
    secrets: named('task.setsecret').map(({ data }) => data),
    issues: named('task.logissue'),
  };
}

/** @param {string} text */
function unescape(text) {
  return text
    .replace(/%3B/g, ';')
    .replace(/%5D/g, ']')
    .replace(/%0D/g, '\r')
    .replace(/%0A/g, '\n')
    .replace(/%AZP25|%25/g, '%');
}

/** The emulated tenant. */
class Emulator {
  /** @param {string[]} [args] */
  static async start(args = []) {
    const child = spawn(PROGRAM, ['emulator', ...args], {
      env: { PATH: process.env.PATH ?? '' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = readline.createInterface({ input: child.stdout });
    const url = await new Promise((resolve, reject) => {
      child.on('exit', (status) => reject(new Error(`the emulator ended with ${status}`)));
      lines.on('line', (line) => {
        const match = /http:\/\/127\.0\.0\.1:\d+/.exec(line);
        if (match) {
          resolve(match[0]);
        }
      });
    });
    return new Emulator(child, url);
  }

  /** @param {import('node:child_process').ChildProcess} child @param {string} url */
  constructor(child, url) {
    this.child = child;
    this.url = url;
    this.inputs = { graphEndpoint: url, loginEndpoint: url };
  }

  /** Ids of the policies that a tenant has. @param {string} tenant @returns {Promise<string[]>} */
  async policies(tenant) {
    const form = new URLSearchParams({
      grant_type: 'client_credentials', client_id: 'test', client_secret: 'test',
      scope: 'https://graph.microsoft.com/.default',
    });
    const answer = await fetch(`${this.url}/${tenant}/oauth2/v2.0/token`, { method: 'POST', body: form });
    const { access_token: token } = /** @type {any} */ (await answer.json());
    const list = await fetch(`${this.url}/beta/trustFramework/policies`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return /** @type {any} */ (await list.json()).value.map((/** @type {any} */ policy) => policy.id);
  }

  async end() {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGINT');
    await ended;
  }
}

/**
 * A server on loopback that keeps what it was asked.
 *
 * @param {(request: http.IncomingMessage, body: string) => { status?: number, body: string | Buffer }} answer
 */
async function serve(answer) {
  /** @type {{ method?: string, url?: string, headers: http.IncomingHttpHeaders, body: string }[]} */
  const requests = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text) => (body += text));
    request.on('end', () => {
      requests.push({ method: request.method, url: request.url, headers: request.headers, body });
      const { status = 200, body: text } = answer(request, body);
      response.writeHead(status, { 'content-length': Buffer.byteLength(text) }).end(text);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  // As a proxy it leads every tunnel to itself.
  /** @type {http.IncomingMessage[]} */
  const tunnels = [];
  server.on('connect', (request, socket) => {
    tunnels.push(request);
    const upstream = net.connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    tunnels,
    end: () => new Promise((resolve) => server.close(resolve)),
  };
}

module.exports = { DIST, Emulator, Job, PROGRAM, ROOT, serve };
