// @ts-check
'use strict';

/** What service connections become: variables of the program, and nothing else. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { afterEach, beforeEach, describe, it } = require('node:test');

const { Job } = require('./agent');

const SECRET = 's3cret~value-of-contoso';
const TENANT = '11111111-2222-3333-4444-555555555555';
const PEM =
  '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n' +
  '-----BEGIN CERTIFICATE-----\nMIIDazCCAlOgAwIBAgIUJQ\n-----END CERTIFICATE-----\n';

describe('signing in', { skip: process.platform === 'win32' }, () => {
  /** @type {Job} */
  let job;
  beforeEach(() => {
    job = new Job();
  });
  afterEach(() => job.end());

  /**
   * @param {Record<string, string>} parameters @param {string} [scheme]
   * @param {Record<string, string>} [data]
   */
  const manager = (parameters, scheme = 'ServicePrincipal', data = {}) => ({
    arm: { scheme, parameters: { serviceprincipalid: 'app', tenantid: TENANT, ...parameters }, data },
  });

  /** @param {import('./agent').Step} step */
  const deploy = ({ inputs = {}, ...rest }) =>
    job.run('IefctlDeploy', { inputs: { iefctlPath: job.fake(), inputFolder: 'p', azureSubscription: 'arm', ...inputs }, ...rest });

  it('by a service principal with a secret', async () => {
    const endpoints = manager({ authenticationType: 'spnKey', serviceprincipalkey: SECRET }, undefined, { environment: 'AzureUSGovernment' });
    const finished = await deploy({ endpoints, env: { AZURE_CLIENT_CERTIFICATE_PATH: 'left over' } });
    assert.equal(finished.result, 'Succeeded', finished.log);
    const { args, env } = job.got();
    assert.equal(env.AZURE_CLIENT_ID, 'app');
    assert.equal(env.AZURE_TENANT_ID, TENANT);
    assert.equal(env.AZURE_CLIENT_SECRET, SECRET);
    assert.equal(env.IEFCTL_AUTH, 'client-secret');
    assert.equal(env.AZURE_CLIENT_CERTIFICATE_PATH, undefined);
    assert.ok(args.includes('--cloud=usgov'), args.join(' '));
    assert.deepEqual(finished.secrets, [SECRET]);
    assert.ok(!finished.log.replaceAll(`##vso[task.setsecret]${SECRET}`, '').includes(SECRET), finished.log);
  });

  it('by a service principal with a certificate, whose file is gone afterwards', async () => {
    const finished = await deploy({ endpoints: manager({ authenticationType: 'spnCertificate', servicePrincipalCertificate: PEM }) });
    assert.equal(finished.result, 'Succeeded', finished.log);
    const { env, key } = job.got();
    assert.deepEqual(key, { text: PEM, mode: 0o600 });
    assert.equal(env.AZURE_CLIENT_SECRET, undefined);
    assert.equal(env.IEFCTL_AUTH, 'certificate');
    assert.ok(!fs.existsSync(env.AZURE_CLIENT_CERTIFICATE_PATH));
    assert.ok(finished.secrets.includes('MIIEvQIBADANBgkqhkiG9w0BAQEFAASC'));
    assert.ok(!finished.secrets.some((secret) => secret.startsWith('-----')));
  });

  it('by the text of a certificate in a secret variable, or by its file', async () => {
    const inputs = { azureSubscription: '', clientId: 'app' };
    const text = await deploy({ inputs: { ...inputs, clientCertificate: PEM } });
    assert.equal(text.result, 'Succeeded', text.log);
    assert.equal(job.got().key?.text.trim(), PEM.trim());
    assert.equal(job.got().env.IEFCTL_AUTH, 'certificate');
    assert.ok(!fs.existsSync(job.got().env.AZURE_CLIENT_CERTIFICATE_PATH));
    job.write('mine.pem', PEM);
    const file = await deploy({ inputs: { ...inputs, clientCertificate: 'mine.pem' } });
    assert.equal(file.result, 'Succeeded', file.log);
    assert.equal(job.got().key?.text, PEM);
    assert.equal(job.read('mine.pem'), PEM);
  });

  it('not by what is neither, which is masked and never shown', async () => {
    const key = `MIIK${'QUFB'.repeat(60)}`;
    const refused = await deploy({ inputs: { azureSubscription: '', clientId: 'app', clientCertificate: key } });
    assert.equal(refused.result, 'Failed', refused.log);
    assert.match(refused.message, /clientCertificate is neither/);
    assert.ok(refused.secrets.includes(key));
    assert.ok(!refused.message.includes('QUFBQUFB'));
  });

  it('by workload identity federation, for which the program asks the pipeline', async () => {
    const endpoints = {
      ...manager({}, 'WorkloadIdentityFederation'),
      SYSTEMVSSCONNECTION: { scheme: 'OAuth', parameters: { AccessToken: 'job-access-token' } },
    };
    const env = { SYSTEM_OIDCREQUESTURI: 'https://dev.azure.com/contoso/oidctoken' };
    const finished = await deploy({ endpoints, env });
    assert.equal(finished.result, 'Succeeded', finished.log);
    const got = job.got().env;
    assert.equal(got.IEFCTL_AUTH, 'azure-pipelines');
    assert.equal(got.AZURESUBSCRIPTION_SERVICE_CONNECTION_ID, 'arm');
    assert.equal(got.AZURESUBSCRIPTION_CLIENT_ID, 'app');
    assert.equal(got.AZURESUBSCRIPTION_TENANT_ID, TENANT);
    assert.equal(got.SYSTEM_OIDCREQUESTURI, env.SYSTEM_OIDCREQUESTURI);
    assert.equal(got.SYSTEM_ACCESSTOKEN, 'job-access-token');
    assert.deepEqual(finished.secrets, ['job-access-token']);
    const old = await deploy({ endpoints });
    assert.equal(old.result, 'Failed');
    assert.match(old.message, /SYSTEM_OIDCREQUESTURI/);
  });

  it('by the variables of the job, of which none is taken away', async () => {
    const env = { AZURE_CLIENT_ID: 'app', AZURE_CLIENT_SECRET: SECRET, SYSTEM_ACCESSTOKEN: 'job' };
    const finished = await deploy({ inputs: { azureSubscription: '' }, env });
    assert.equal(finished.result, 'Succeeded', finished.log);
    for (const [name, value] of Object.entries(env)) {
      assert.equal(job.got().env[name], value);
    }
  });

  it('is nothing that a validation could use', async () => {
    const finished = await job.run('Iefctl', {
      inputs: { iefctlPath: job.fake(), azureSubscription: 'arm' },
      endpoints: manager({ serviceprincipalkey: SECRET }),
      env: { AZURE_CLIENT_SECRET: 'other' },
    });
    assert.equal(finished.result, 'Succeeded', finished.log);
    assert.equal(job.got().env.AZURE_CLIENT_SECRET, undefined);
  });

  it('fails where a connection is missing, empty or of another kind', async () => {
    /** @type {[import('./agent').Step['endpoints'], RegExp][]} */
    const cases = [
      [{}, /there is no service connection arm/],
      [manager({}), /has no serviceprincipalkey/],
      [manager({ authenticationType: 'spnCertificate' }), /has no servicePrincipalCertificate/],
      [manager({}, 'ManagedServiceIdentity'), /managedserviceidentity/],
    ];
    for (const [endpoints, why] of cases) {
      const finished = await deploy({ endpoints });
      assert.equal(finished.result, 'Failed', finished.log);
      assert.match(finished.message, why);
    }
  });
});
