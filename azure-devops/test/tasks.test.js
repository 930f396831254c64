// @ts-check
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');

const { DIST, Emulator, Job, PROGRAM, serve } = require('./agent');

const TENANT = 'contosodev.onmicrosoft.com';
const SECRET = 's3cret~value-of-contoso';
const KEYS = { CONTOSO_REST_API_KEY: 'api-key-value', CONTOSO_GOOGLE_CLIENT_SECRET: 'google-value' };

/** A policy that needs nothing. @param {string} id @param {{ tenant?: string, base?: string, name?: string }} [of] */
function policy(id, { tenant = 'contoso.onmicrosoft.com', base, name = 'a' } = {}) {
  const inherits = base
    ? `<BasePolicy><TenantId>${tenant}</TenantId><PolicyId>${base}</PolicyId></BasePolicy>`
    : '';
  return (
    '<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" ' +
    `PolicySchemaVersion="0.3.0.0" TenantId="${tenant}" PolicyId="${id}" ` +
    `PublicPolicyUri="http://${tenant}/${id}">${inherits}\n<BuildingBlocks><ClaimsSchema>` +
    `<ClaimType Id="c"><DisplayName>${name}</DisplayName><DataType>string</DataType></ClaimType>` +
    '</ClaimsSchema></BuildingBlocks>\n</TrustFrameworkPolicy>\n'
  );
}

const APP_SETTINGS = JSON.stringify({
  Environments: [
    { Name: 'Test', Tenant: 'contoso.onmicrosoft.com', PolicySettings: { Title: 'from the file' } },
    { Name: 'Prod', Tenant: 'fabrikam.onmicrosoft.com', PolicySettings: { Title: 'prod' } },
  ],
});

describe('the tasks', () => {
  /** @type {Job} */
  let job;
  /** @type {Emulator} */
  let emulator;
  before(async () => {
    emulator = await Emulator.start();
  });
  after(() => emulator.end());

  /** @param {string} name @param {() => Promise<void>} body */
  const step = (name, body) =>
    it(name, async () => {
      job = new Job();
      try {
        await body();
      } finally {
        job.end();
      }
    });

  step('plans and deploys with an application of the inputs, and says what changed', async () => {
    job.example('policies');
    const inputs = {
      paths: 'policies', environment: 'dev', clientId: 'app', clientSecret: SECRET, ...emulator.inputs,
    };
    const planned = await job.run('Iefctl', { inputs: { command: 'plan', ...inputs }, env: KEYS });
    assert.equal(planned.result, 'Succeeded', planned.log);
    assert.equal(planned.variables.changed, 'true');
    assert.equal(planned.variables.created, '6');
    assert.ok(fs.existsSync(planned.variables.planPath));
    assert.deepEqual(await emulator.policies(TENANT), []);

    const deployed = await job.run('Iefctl', {
      inputs: { command: 'deploy', planFile: planned.variables.planPath, ...inputs },
      env: KEYS,
    });
    assert.equal(deployed.result, 'Succeeded', deployed.log);
    assert.equal(deployed.variables.created, '6');
    assert.equal(deployed.variables.keysetsCreated, '4');
    assert.equal(deployed.variables.changed, 'true');
    assert.equal(deployed.variables.summary, `deploy ${TENANT}: 6 created`);
    assert.equal(deployed.commands.find(({ name }) => name === 'task.uploadsummary')?.data, path.join(job.temp, 'iefctl-2.md'));
    assert.equal((await emulator.policies(TENANT)).length, 6);

    const again = await job.run('IefctlDeploy', { inputs, env: KEYS });
    assert.equal(again.variables.changed, 'false');
    assert.equal(again.variables.unchanged, '6');
    for (const { log, secrets } of [planned, deployed, again]) {
      assert.equal(secrets[0], SECRET);
      const shown = log.replaceAll(/^##vso\[task\.setsecret\].*$/gm, '');
      for (const secret of [SECRET, ...Object.values(KEYS)]) {
        assert.ok(!shown.includes(secret), shown);
      }
    }
  });

  step('signs in by workload identity federation, with nothing stored', async () => {
    /** @param {object} part */
    const encoded = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    const token = [
      encoded({ alg: 'RS256', typ: 'JWT', kid: 'k' }),
      encoded({ iss: 'https://vstoken.dev.azure.com/contoso', sub: 'sc://contoso/p/c', aud: 'api://AzureADTokenExchange', nbf: now - 5, exp: now + 600 }),
      'c2ln',
    ].join('.');
    const pipeline = await serve(() => ({ body: JSON.stringify({ oidcToken: token }) }));
    try {
      job.write('policies/A.xml', policy('B2C_1A_A', { tenant: 'federated.onmicrosoft.com' }));
      const finished = await job.run('IefctlDeploy', {
        inputs: { inputFolder: 'policies', azureSubscription: 'arm', ...emulator.inputs },
        env: { SYSTEM_OIDCREQUESTURI: `${pipeline.url}/oidctoken` },
        endpoints: {
          arm: {
            scheme: 'WorkloadIdentityFederation',
            parameters: { serviceprincipalid: '11111111-1111-1111-1111-111111111111', tenantid: 'federated.onmicrosoft.com' },
          },
          SYSTEMVSSCONNECTION: { scheme: 'OAuth', parameters: { AccessToken: 'job-access-token' } },
        },
      });
      assert.equal(finished.result, 'Succeeded', finished.log);
      assert.deepEqual(await emulator.policies('federated.onmicrosoft.com'), ['B2C_1A_A']);
      const [asked] = pipeline.requests;
      assert.equal(asked.url, '/oidctoken?api-version=7.1&serviceConnectionId=arm');
      assert.equal(asked.headers.authorization, 'Bearer job-access-token');
    } finally {
      await pipeline.end();
    }
  });

  step('findings are issues of the run, and fail it', async () => {
    job.write('policies/Base.xml', policy('B2C_1A_Base').replace('>string<', '>strnig<'));
    const finished = await job.run('Iefctl', { inputs: { paths: 'policies' } });
    assert.equal(finished.result, 'Failed');
    assert.equal(finished.variables.errors, '1');
    const found = finished.issues.filter(({ properties }) => properties.sourcepath);
    assert.equal(found.length, 1, finished.log);
    assert.equal(found[0].properties.sourcepath, 'policies/Base.xml');
    assert.equal(found[0].properties.linenumber, '2');
    assert.match(finished.message, /1 policies, 1 errors/);
  });

  step('what keeps the program from running is said as the error of the step', async () => {
    const finished = await job.run('Iefctl', { inputs: { paths: 'nowhere' } });
    assert.equal(finished.result, 'Failed');
    assert.match(finished.message, /nowhere/);
  });

  describe('switching from b2c-policy-build and b2c-policy-publish', () => {
    const publish = () => ({
      authority: `${emulator.url}/contoso.onmicrosoft.com`, clientId: 'app', clientSecret: SECRET,
      graphEndpoint: emulator.url,
    });

    step('takes their inputs: one environment, flat, with settings of the pipeline', async () => {
      job.write('src/appsettings.json', APP_SETTINGS);
      job.write('src/A.xml', policy('B2C_1A_A', { tenant: '{Settings:Tenant}', name: '{Settings:Title}{Settings:New}' }));
      const built = await job.run('IefctlBuild', {
        inputs: {
          environment: 'Test', inputFolder: 'src', outputFolder: 'out',
          additionalArguments: 'Title=x=$1 & "y"\n\nNew= 2',
        },
      });
      assert.equal(built.result, 'Succeeded', built.log);
      assert.equal(built.variables.files, '1');
      assert.match(job.read('out/A.xml'), /<DisplayName>x=\$1 &amp; "y" 2</);
      const published = await job.run('IefctlDeploy', { inputs: { inputFolder: 'out', ...publish() } });
      assert.equal(published.result, 'Succeeded', published.log);
      assert.deepEqual(await emulator.policies('contoso.onmicrosoft.com'), ['B2C_1A_A']);
      // As those tasks did, a second build overwrites, also what another tool has written.
      fs.rmSync(path.join(job.work, 'out', '.iefctl-build.json'));
      job.write('src/settings/other.json', APP_SETTINGS.replaceAll('from the file', 'other').replace('"Title"', '"New":"","Title"'));
      const again = await job.run('IefctlBuild', {
        inputs: { environment: 'Test', inputFolder: 'src', outputFolder: 'out', appsettingsFile: 'src/settings/other.json' },
      });
      assert.equal(again.result, 'Succeeded', again.log);
      assert.match(job.read('out/A.xml'), /<DisplayName>other</);
    });

    step('a placeholder that nothing fills fails the build and writes nothing', async () => {
      job.write('src/appsettings.json', APP_SETTINGS);
      job.write('src/A.xml', policy('B2C_1A_A', { name: '{Settings:Missing}' }));
      const built = await job.run('IefctlBuild', {
        inputs: { environment: 'Test', inputFolder: 'src', outputFolder: 'out' },
      });
      assert.equal(built.result, 'Failed');
      assert.ok(built.issues.some(({ properties }) => properties.code === 'settings-undefined'), built.log);
      assert.ok(!fs.existsSync(path.join(job.work, 'out')));
    });

    step('a line without a value, and a variable that is not set, fail', async () => {
      job.write('src/appsettings.json', APP_SETTINGS);
      job.write('src/A.xml', policy('B2C_1A_A'));
      for (const [additionalArguments, why] of [
        ['Title=a\nnonsense', /line 2 of IEFCTL_SETTINGS is no setting/],
        ['Title=$(Title.Of.Run)', /\$\(Title\.Of\.Run\), a variable that is not set/],
      ]) {
        const built = await job.run('IefctlBuild', {
          inputs: { environment: 'Test', inputFolder: 'src', outputFolder: 'out', additionalArguments: String(additionalArguments) },
        });
        assert.equal(built.result, 'Failed', built.log);
        assert.match(built.message, /** @type {RegExp} */ (why));
      }
    });

    step('the tenant of the authority must be that of the policies', async () => {
      job.write('out/A.xml', policy('B2C_1A_A', { tenant: 'fabrikam.onmicrosoft.com' }));
      const published = await job.run('IefctlDeploy', { inputs: { inputFolder: 'out', ...publish() } });
      assert.equal(published.result, 'Failed');
      assert.match(published.message, /contoso\.onmicrosoft\.com.*fabrikam\.onmicrosoft\.com/s);
      assert.deepEqual(await emulator.policies('fabrikam.onmicrosoft.com'), []);
    });

    step('a folder without policies, and an empty secret, fail', async () => {
      fs.mkdirSync(path.join(job.work, 'out'));
      const empty = await job.run('IefctlDeploy', { inputs: { inputFolder: 'out', ...publish() } });
      assert.equal(empty.result, 'Failed', empty.log);
      job.write('out/A.xml', policy('B2C_1A_A'));
      for (const clientSecret of ['', '  ', '$(ClientSecret)']) {
        const finished = await job.run('IefctlDeploy', { inputs: { inputFolder: 'out', ...publish(), clientSecret } });
        assert.equal(finished.result, 'Failed', finished.log);
        assert.match(finished.message, /clientSecret/);
      }
    });
  });

  describe('switching from B2CBuildAllPolicies and B2CUploadAllPolicies', () => {
    const connection = (/** @type {string} */ password) => ({
      'b2c-id': {
        scheme: 'UsernamePassword',
        parameters: { username: '', password },
        data: { tenant: 'fabrikam.onmicrosoft.com', clientId: 'app' },
      },
    });

    step('builds all environments and uploads with its service connection', async () => {
      job.write('src/appsettings.json', APP_SETTINGS);
      job.write('src/Leaf.xml', policy('B2C_1A_Leaf', { tenant: '{Settings:Tenant}', base: 'B2C_1A_Root', name: '{Settings:Title}' }));
      job.write('src/sub/Root.xml', policy('B2C_1A_Root', { tenant: '{Settings:Tenant}' }));
      const built = await job.run('IefctlBuild', { inputs: { policyFolder: 'src', outputFolder: 'out', renumberSteps: 'false' } });
      assert.equal(built.result, 'Succeeded', built.log);
      assert.match(job.read('out/Prod/Leaf.xml'), /<DisplayName>prod</);
      assert.match(job.read('out/Test/sub/Root.xml'), /contoso\.onmicrosoft\.com/);
      const uploaded = await job.run('IefctlDeploy', {
        inputs: { b2cGraphServicePrincipal: 'b2c-id', policyFolder: 'out/Prod', ...emulator.inputs },
        endpoints: connection(SECRET),
      });
      assert.equal(uploaded.result, 'Succeeded', uploaded.log);
      assert.equal(uploaded.secrets[0], SECRET);
      assert.deepEqual((await emulator.policies('fabrikam.onmicrosoft.com')).sort(), ['B2C_1A_Leaf', 'B2C_1A_Root']);
    });

    step('an upload that fails fails the step, and what inherits is counted as blocked', async () => {
      job.write('faults.json', JSON.stringify({
        rules: [{ when: { method: 'PUT', path: '*B2C_1A_Root*' }, on: 'every', fault: { status: { status: 403, body: 'oData' } } }],
      }));
      const failing = await Emulator.start(['--faults', path.join(job.work, 'faults.json')]);
      try {
        const tenant = 'fabrikam.onmicrosoft.com';
        job.write('out/Root.xml', policy('B2C_1A_Root', { tenant }));
        job.write('out/Leaf.xml', policy('B2C_1A_Leaf', { tenant, base: 'B2C_1A_Root' }));
        const finished = await job.run('IefctlDeploy', {
          inputs: { b2cGraphServicePrincipal: 'b2c-id', policyFolder: 'out', ...failing.inputs },
          endpoints: connection(SECRET),
        });
        assert.equal(finished.result, 'Failed', finished.log);
        assert.equal(finished.variables.failed, '1', finished.log);
        assert.equal(finished.variables.blocked, '1');
        assert.match(finished.message, /1 failed, 1 blocked/);
        assert.deepEqual(await failing.policies(tenant), []);
      } finally {
        await failing.end();
      }
    });

    step('a connection with a certificate says what to do instead', async () => {
      job.write('out/A.xml', policy('B2C_1A_A'));
      const finished = await job.run('IefctlDeploy', {
        inputs: { b2cGraphServicePrincipal: 'b2c-id', policyFolder: 'out', ...emulator.inputs },
        endpoints: { 'b2c-id': { scheme: 'Certificate', parameters: { certificateThumbprint: 'AB', certificate: 'x', certificatePass: 'y' }, data: { tenant: 't', clientId: 'c' } } },
      });
      assert.equal(finished.result, 'Failed');
      assert.match(finished.message, /clientCertificate/);
    });
  });

  describe('hostile values', () => {
    const HOSTILE = [
      '$(touch pwned)', '`touch pwned`', '"; touch pwned; "', "' || touch pwned #", '--help', '-v',
      'a\n##vso[task.setvariable variable=pwned;isOutput=true]yes', '##vso[task.complete result=Succeeded]',
      '%0A##vso[task.setvariable variable=pwned]yes', '..', 'ä'.repeat(300),
    ];
    const INPUTS = [
      'paths', 'environment', 'tenant', 'configFile', 'settings', 'with', 'prefix', 'suffix', 'planFile',
      // Not the endpoints: they are connected to.
      'clientId', 'authority', 'cloud', 'iefctlPath', 'version', 'workingDirectory', 'concurrency', 'command', 'failOnChanges', 'azureSubscription', 'releaseUrl',
    ];

    step('stay values in every input', async () => {
      job.write('policies/A.xml', policy('B2C_1A_A', { tenant: 'hostile.onmicrosoft.com' }));
      for (const [index, name] of INPUTS.entries()) {
        for (const offset of [0, 5]) {
          const value = HOSTILE[(index + offset) % HOSTILE.length];
          const finished = await job.run('Iefctl', {
            inputs: {
              command: 'plan', paths: 'policies', clientId: 'app', clientSecret: SECRET,
              planFile: path.join(job.temp, 'plan.json'), ...emulator.inputs, [name]: value,
            },
          });
          const shown = `${name} = ${value}\n${finished.log}`;
          assert.ok(['Failed', 'Succeeded'].includes(finished.result), shown);
          assert.equal(finished.variables.pwned, undefined, shown);
          const results = finished.commands.filter(({ name }) => name === 'task.complete');
          assert.equal(results.length, 1, shown);
          assert.ok(!fs.readdirSync(job.work).includes('pwned'), shown);
        }
      }
    });

    step('reach the program as they are, and secrets not as arguments', async () => {
      const fake = job.fake();
      for (const value of HOSTILE.filter((text) => !text.includes('\n'))) {
        const finished = await job.run('Iefctl', {
          inputs: {
            command: 'plan', iefctlPath: fake, paths: value, environment: value, tenant: value, prefix: value,
            clientId: value, clientSecret: `${value}${SECRET}`, settings: `A=${value}`,
          },
          env: {
            AZURE_CLIENT_CERTIFICATE_PATH: 'of the agent', AZURE_FEDERATED_TOKEN_FILE: 'of the agent',
            SYSTEM_ACCESSTOKEN: 'of the agent',
          },
        });
        assert.equal(finished.result, 'Succeeded', finished.log);
        const { args, env } = job.got();
        for (const option of ['environment', 'tenant', 'prefix']) {
          assert.ok(args.includes(`--${option}=${value}`), args.join('\n'));
        }
        assert.deepEqual(args.slice(-2), ['--', value]);
        assert.equal(env.AZURE_CLIENT_ID, value);
        assert.equal(env.AZURE_CLIENT_SECRET, `${value}${SECRET}`);
        assert.equal(env.IEFCTL_SETTINGS, `A=${value}`);
        assert.ok(!args.join('\n').includes(SECRET));
        assert.ok(!Object.values(env).includes('of the agent'), 'ways to sign in are mixed');
        const left = Object.keys(env).filter((name) => /^(INPUT_|ENDPOINT_AUTH_|SECRET_)/.test(name));
        assert.deepEqual(left, []);
      }
    });

    step('in names and texts of policies command nothing', async () => {
      const evil = '##vso[task.setvariable variable=pwned;isOutput=true]yes';
      job.write(`policies/${evil.replace(/[:*?"<>|]/g, '')}.xml`, policy('B2C_1A_A').replace('>string<', `>&#10;${evil}<`));
      job.write('policies/B.xml', policy('B2C_1A_B').replace('Id="c"', `Id="${evil}"`));
      job.write('policies/C.xml', policy(`B2C_1A_C&#10;${evil}`));
      const finished = await job.run('Iefctl', { inputs: { paths: 'policies' } });
      assert.equal(finished.result, 'Failed');
      assert.equal(finished.variables.pwned, undefined, finished.log);
      assert.ok(finished.issues.length >= 3, finished.log);
    });
  });

  step('inputs that would be ignored are refused', async () => {
    job.write('policies/A.xml', policy('B2C_1A_A'));
    /** @type {[Record<string, string>, RegExp][]} */
    const cases = [
      [{ enviroment: 'Test' }, /unknown input enviroment/],
      [{ atomic: 'true' }, /atomic does nothing for validate/],
      [{ verbose: 'yes' }, /verbose is neither true nor false/],
      [{ command: 'deploy', clientSecret: 'x' }, /belong to clientId/],
      [{ command: 'deploy', clientId: 'a', clientSecret: 'x', b2cGraphServicePrincipal: 'b' }, /different ways to sign in/],
      [{ folder: 'other' }, /mean the same input/],
    ];
    for (const [inputs, why] of cases) {
      const finished = await job.run('Iefctl', { inputs: { paths: 'policies', ...inputs } });
      assert.equal(finished.result, 'Failed', finished.log);
      assert.match(finished.message, why);
    }
    // A pipeline variable may be called like an input.
    const fine = await job.run('Iefctl', {
      inputs: { paths: 'policies' },
      env: { INPUT_FOO_BAR: 'x', VSTS_PUBLIC_VARIABLES: '["input.foo.bar"]' },
    });
    assert.equal(fine.result, 'Succeeded', fine.log);
  });

  step('a job that is cancelled lets the program finish what it began', async () => {
    const slow = await Emulator.start(['--latency', '300']);
    try {
      for (const id of ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J']) {
        job.write(`policies/${id}.xml`, policy(`B2C_1A_${id}`));
      }
      const running = job.run('IefctlDeploy', {
        inputs: { inputFolder: 'policies', clientId: 'a', clientSecret: SECRET, concurrency: '1', ...slow.inputs },
      });
      await job.says(/created B2C_1A_/);
      job.child?.kill('SIGINT');
      const finished = await running;
      assert.equal(finished.result, 'Failed', finished.log);
      assert.match(finished.log, /stopping: running \w+ are finished first/);
      const there = await slow.policies('contoso.onmicrosoft.com');
      assert.equal(String(there.length), finished.variables.created);
      assert.ok(there.length < 10, finished.log);
    } finally {
      await slow.end();
    }
  });

  step('an emulated tenant needs no sign-in; drift can fail a job', async () => {
    job.write('policies/A.xml', policy('B2C_1A_A'));
    const inputs = { paths: 'policies', emulator: 'true' };
    const drift = { command: 'plan', failOnChanges: 'true', ...inputs };
    const pending = await job.run('Iefctl', { inputs: drift });
    assert.equal(pending.result, 'Failed');
    assert.match(pending.message, /^changes are pending/);
    await job.run('IefctlDeploy', { inputs });
    const none = await job.run('Iefctl', { inputs: drift });
    assert.equal(none.result, 'Succeeded', none.log);
    assert.equal(none.variables.changed, 'false');
  });

  it('declares every output variable that it sets', () => {
    const manifest = JSON.parse(fs.readFileSync(path.join(DIST, 'Iefctl', 'task.json'), 'utf8'));
    const declared = manifest.OutputVariables.map((/** @type {any} */ variable) => variable.name);
    const source = fs.readFileSync(path.join(DIST, 'Iefctl', 'src', 'outputs.js'), 'utf8');
    const counts = source.slice(source.indexOf('const COUNTS'), source.indexOf("['create'"));
    const names = [...counts.matchAll(/'(\w+)'/g)].map((match) => match[1]);
    assert.ok(names.length > 5);
    for (const name of [...names, 'changed', 'breaking', 'summary', 'reportPath', 'keysetsCreated', 'files', 'planPath']) {
      assert.ok(declared.includes(name), name);
    }
  });

  it('has a program to test', () => assert.ok(fs.existsSync(PROGRAM), PROGRAM));
});
