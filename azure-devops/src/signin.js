// @ts-check
'use strict';

/**
 * Signing in: what the inputs and service connections say becomes environment variables of the program,
 * those that the Azure SDKs use, and the way that they mean. Nothing secret is ever an argument.
 *
 * @typedef {import('./inputs').Inputs} Inputs
 * @typedef {typeof import('azure-pipelines-task-lib/task')} TaskLib
 * @typedef {{
 *   env: Record<string, string>,
 *   files: string[],
 *   cloud?: string,
 *   login?: string,
 *   explicit: boolean,
 * }} SignIn
 */

const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/** What an agent or an earlier step may have set: none of it may mix with what the inputs say. */
const VARIABLES = [
  'AZURE_TENANT_ID',
  'AZURE_CLIENT_ID',
  'AZURE_CLIENT_SECRET',
  'AZURE_CLIENT_CERTIFICATE_PATH',
  'AZURE_FEDERATED_TOKEN_FILE',
  'AZURE_AUTHORITY_HOST',
  'AZURESUBSCRIPTION_CLIENT_ID',
  'AZURESUBSCRIPTION_TENANT_ID',
  'AZURESUBSCRIPTION_SERVICE_CONNECTION_ID',
  'SYSTEM_ACCESSTOKEN',
  'IEFCTL_AUTH',
  'IEFCTL_MANAGED_IDENTITY_CLIENT_ID',
];

const CLOUDS = new Map([
  ['azurecloud', 'global'],
  ['azureusgovernment', 'usgov'],
  ['azurechinacloud', 'china'],
]);

/** @param {TaskLib} tl @param {Inputs} inputs @returns {SignIn} */
function signIn(tl, inputs) {
  const ways = ['azureSubscription', 'b2cGraphServicePrincipal', 'clientId'].filter((name) =>
    inputs.text(name),
  );
  if (ways.length > 1) {
    throw new Error(`${ways.join(' and ')} are different ways to sign in: set one of them`);
  }
  switch (ways[0]) {
    case 'azureSubscription':
      refuse(inputs, ['clientSecret', 'clientCertificate', 'authority'], 'azureSubscription');
      return resourceManager(tl, inputs.required('azureSubscription'), inputs);
    case 'b2cGraphServicePrincipal':
      refuse(inputs, ['clientSecret', 'clientCertificate', 'authority'], 'b2cGraphServicePrincipal');
      return servicePrincipal(tl, inputs.required('b2cGraphServicePrincipal'), inputs);
    case 'clientId':
      return application(tl, inputs);
    default:
      refuse(inputs, ['clientSecret', 'clientCertificate'], 'none without clientId');
      return { env: {}, files: [], explicit: false, ...authority(inputs) };
  }
}

/** @param {Inputs} inputs @param {string[]} names @param {string} beside */
function refuse(inputs, names, beside) {
  const set = names.filter((name) => inputs.text(name));
  if (set.length === 0) {
    return;
  }
  throw new Error(
    beside.startsWith('none')
      ? `${set.join(' and ')} belong to clientId, which is not set`
      : `${set.join(' and ')} cannot be set beside ${beside}, which holds the credentials`,
  );
}

/**
 * The input `authority`: `https://HOST/TENANT`.
 *
 * @param {Inputs} inputs
 * @returns {{ login?: string, tenant?: string }}
 */
function authority(inputs) {
  const text = inputs.text('authority');
  if (!text) {
    return {};
  }
  const expected = 'expected is https://login.microsoftonline.com/ and the tenant';
  let url;
  try {
    url = new URL(text);
  } catch {
    throw new Error(`input authority is no URL: ${expected}`);
  }
  const parts = url.pathname.split('/').filter((part) => part !== '');
  if (parts.length === 0 || url.username || url.search || url.hash) {
    throw new Error(`input authority names no tenant: ${expected}`);
  }
  return { login: url.origin, tenant: decodeURIComponent(parts[0]) };
}

/** @param {TaskLib} tl @param {Inputs} inputs @returns {SignIn} */
function application(tl, inputs) {
  const { login, tenant } = authority(inputs);
  const secret = inputs.text('clientSecret');
  const certificate = inputs.text('clientCertificate');
  if ((secret === undefined) === (certificate === undefined)) {
    throw new Error('clientId needs either clientSecret or clientCertificate beside it');
  }
  /** @type {Record<string, string>} */
  const env = {
    AZURE_CLIENT_ID: inputs.required('clientId'),
    IEFCTL_AUTH: secret === undefined ? 'certificate' : 'client-secret',
  };
  addTenant(env, tenant, inputs);
  const files = [];
  if (secret !== undefined) {
    env.AZURE_CLIENT_SECRET = masked(tl, secret);
  }
  if (certificate !== undefined) {
    if (certificate.includes('-----BEGIN')) {
      files.push((env.AZURE_CLIENT_CERTIFICATE_PATH = keyFile(tl, certificate)));
    } else {
      const file = path.resolve(certificate);
      // What is no file may be a key in a form that is not known here: it is masked and never shown.
      if (!fs.existsSync(file)) {
        for (const line of certificate.split(/\s+/).filter(Boolean)) {
          masked(tl, line);
        }
        throw new Error('clientCertificate is neither the text of a PEM file nor the path of one');
      }
      env.AZURE_CLIENT_CERTIFICATE_PATH = file;
    }
  }
  return { env, files, login, explicit: true };
}

/**
 * A connection of the type "Azure Resource Manager".
 *
 * @param {TaskLib} tl @param {string} id @param {Inputs} inputs @returns {SignIn}
 */
function resourceManager(tl, id, inputs) {
  const { scheme, parameter, optional } = authorization(tl, id);
  const cloud = CLOUDS.get((tl.getEndpointDataParameter(id, 'environment', true) ?? '').toLowerCase());
  if (scheme === 'workloadidentityfederation') {
    const client = parameter('serviceprincipalid');
    const home = parameter('tenantid');
    const request = tl.getVariable('System.OidcRequestUri');
    if (!request) {
      throw new Error(
        'the agent says nowhere to ask for the token of the service connection (SYSTEM_OIDCREQUESTURI): ' +
          'workload identity federation needs a current agent and a job that runs on it',
      );
    }
    const token = authorization(tl, 'SystemVssConnection').parameter('AccessToken');
    /** @type {Record<string, string>} */
    const env = {
      IEFCTL_AUTH: 'azure-pipelines',
      AZURE_CLIENT_ID: client,
      AZURESUBSCRIPTION_CLIENT_ID: client,
      AZURESUBSCRIPTION_TENANT_ID: home,
      AZURESUBSCRIPTION_SERVICE_CONNECTION_ID: id,
      SYSTEM_OIDCREQUESTURI: request,
      SYSTEM_ACCESSTOKEN: masked(tl, token),
    };
    addTenant(env, home, inputs);
    return { env, files: [], cloud, explicit: true };
  }
  if (scheme !== 'serviceprincipal') {
    throw new Error(
      `the service connection signs in by ${scheme || 'nothing'}, which cannot be passed on: use one with ` +
        'workload identity federation or a service principal of the B2C tenant; the identity of the agent ' +
        'itself is used without azureSubscription',
    );
  }
  /** @type {Record<string, string>} */
  const env = { AZURE_CLIENT_ID: parameter('serviceprincipalid') };
  addTenant(env, parameter('tenantid'), inputs);
  if (optional('authenticationType').toLowerCase() === 'spncertificate') {
    const file = keyFile(tl, parameter('servicePrincipalCertificate'));
    env.AZURE_CLIENT_CERTIFICATE_PATH = file;
    env.IEFCTL_AUTH = 'certificate';
    return { env, files: [file], cloud, explicit: true };
  }
  env.AZURE_CLIENT_SECRET = masked(tl, parameter('serviceprincipalkey'));
  env.IEFCTL_AUTH = 'client-secret';
  return { env, files: [], cloud, explicit: true };
}

/**
 * A connection of the type that comes with the task B2CUploadAllPolicies.
 *
 * @param {TaskLib} tl @param {string} id @param {Inputs} inputs @returns {SignIn}
 */
function servicePrincipal(tl, id, inputs) {
  const { scheme, parameter } = authorization(tl, id);
  const client = tl.getEndpointDataParameter(id, 'clientId', false) ?? '';
  if (scheme === 'certificate') {
    throw new Error(
      'the service connection holds the thumbprint and the key of a certificate, but not the certificate, ' +
        'which today\'s sign-in needs: pass the PEM file with both as clientCertificate, with clientId, or ' +
        'use workload identity federation',
    );
  }
  if (scheme !== 'usernamepassword') {
    throw new Error(`the service connection signs in by ${scheme || 'nothing'}: it holds no client secret`);
  }
  /** @type {Record<string, string>} */
  const env = {
    AZURE_CLIENT_ID: client,
    AZURE_CLIENT_SECRET: masked(tl, parameter('password')),
    IEFCTL_AUTH: 'client-secret',
  };
  addTenant(env, tl.getEndpointDataParameter(id, 'tenant', false), inputs);
  return { env, files: [], explicit: true };
}

/**
 * How a service connection signs in. Asked for one by one, the library would write the parameters to the
 * log.
 *
 * @param {TaskLib} tl @param {string} id
 */
function authorization(tl, id) {
  const found = tl.getEndpointAuthorization(id, true);
  if (!found) {
    throw new Error(
      `there is no service connection ${id}, or this pipeline was not permitted to use it`,
    );
  }
  const parameters = new Map(
    Object.entries(found.parameters ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  /** @param {string} name */
  const optional = (name) => parameters.get(name.toLowerCase()) ?? '';
  /** @param {string} name */
  const parameter = (name) => {
    const value = optional(name);
    if (value.trim() === '') {
      throw new Error(`the service connection ${id} has no ${name}`);
    }
    return value;
  };
  return { scheme: (found.scheme ?? '').toLowerCase(), parameter, optional };
}

/**
 * The program compares the variable with the tenant that it deploys to. A tenant that the inputs choose
 * goes before that of a connection.
 *
 * @param {Record<string, string>} env @param {string | undefined} tenant @param {Inputs} inputs
 */
function addTenant(env, tenant, inputs) {
  if (tenant && !inputs.text('tenant')) {
    env.AZURE_TENANT_ID = tenant;
  }
}

/** Makes the agent mask a secret wherever it is printed. @param {TaskLib} tl @param {string} secret */
function masked(tl, secret) {
  if (secret.trim() === '') {
    throw new Error('the secret to sign in with is empty');
  }
  for (const line of secret.split(/[\r\n]+/).map((text) => text.trim())) {
    // Short lines and the markers of a PEM file occur everywhere.
    if (line !== '' && !line.startsWith('-----') && (line.length > 4 || line === secret.trim())) {
      tl.setSecret(line);
    }
  }
  return secret;
}

/** A file that only this user can read. @param {TaskLib} tl @param {string} pem */
function keyFile(tl, pem) {
  masked(tl, pem);
  const folder = tl.getVariable('Agent.TempDirectory') || os.tmpdir();
  const file = path.join(folder, `iefctl-${crypto.randomUUID()}.pem`);
  // Connections keep line ends as they were pasted.
  const text = pem.includes('\n') ? pem : pem.replace(/\\n/g, '\n');
  fs.writeFileSync(file, text.endsWith('\n') ? text : `${text}\n`, { mode: 0o600, flag: 'wx' });
  return file;
}

module.exports = { signIn, VARIABLES };
