// @ts-check
'use strict';

/**
 * From the report of the program to output variables.
 *
 * @typedef {Record<string, unknown>} Json
 */

const fs = require('node:fs');

/** Members of `summary` that become variables. A plan tells what would be created, a deployment what was. */
const COUNTS = new Map([
  ...['policies', 'errors', 'warnings', 'hints'].map(same),
  ...['created', 'updated', 'unchanged', 'deleted', 'failed', 'blocked', 'notStarted'].map(same),
  ['create', 'created'], ['update', 'updated'], ['delete', 'deleted'], ['keysets', 'keysetsCreated'],
]);

/** @param {string} name @returns {[string, string]} */
function same(name) {
  return [name, name];
}

/**
 * @param {string} file the report
 * @returns {Record<string, string> | undefined} nothing where the program wrote no report
 */
function outputs(file) {
  if (!fs.existsSync(file)) {
    return undefined;
  }
  /** @type {Json} */
  const report = JSON.parse(fs.readFileSync(file, 'utf8'));
  const counts = /** @type {Json} */ (report.summary ?? {});
  /** @type {Record<string, string>} */
  const variables = { reportPath: file };
  for (const [name, variable] of COUNTS) {
    if (typeof counts[name] === 'number') {
      variables[variable] = String(counts[name]);
    }
  }
  const keysets = Array.isArray(report.keysets) ? report.keysets : [];
  const provisioned = keysets.filter((keyset) => keyset.action === 'create' || keyset.action === 'update');
  if (Array.isArray(report.keysets) && variables.keysetsCreated === undefined) {
    variables.keysetsCreated = String(
      provisioned.filter((keyset) => keyset.status === 'done').length,
    );
  }
  if (typeof report.isBreaking === 'boolean') {
    variables.breaking = String(report.isBreaking);
  }
  const changed = isChanged(report, counts, provisioned);
  if (changed !== undefined) {
    variables.changed = String(changed);
  }
  if (Array.isArray(report.files)) {
    variables.files = String(report.files.length);
  }
  variables.summary = sentence(report, variables);
  return variables;
}

/**
 * Whether the tenant changed, or would; nothing where the command is not about a tenant.
 *
 * @param {Json} report @param {Json} counts @param {Json[]} provisioned
 */
function isChanged(report, counts, provisioned) {
  if (typeof report.hasChanges === 'boolean') {
    return report.hasChanges;
  }
  if (!Array.isArray(report.policies)) {
    return undefined;
  }
  const written = ['created', 'updated', 'deleted'].some((name) => Number(counts[name]) > 0);
  return written || provisioned.some((keyset) => keyset.status === 'done');
}

/** @type {Record<string, string>} */
const PLANNED = { created: 'to create', updated: 'to update', deleted: 'to delete' };

/** @param {Json} report @param {Record<string, string>} variables */
function sentence(report, variables) {
  const isPlan = report.command === 'plan';
  const shown = ['created', 'updated', 'unchanged', 'deleted', 'failed', 'blocked', 'notStarted', 'files']
    .filter((name) => variables[name] !== undefined && variables[name] !== '0')
    .map((name) => `${variables[name]} ${isPlan ? PLANNED[name] ?? name : name === 'notStarted' ? 'not started' : name}`);
  if (Array.isArray(report.diagnostics)) {
    shown.push(`${variables.policies} policies`, `${variables.errors} errors`, `${variables.warnings} warnings`);
  }
  const tenant = typeof report.tenant === 'string' ? `${report.tenant}: ` : '';
  return `${report.command} ${tenant}${shown.join(', ') || 'nothing to do'}`.replace(/[\r\n]+/g, ' ');
}

module.exports = { outputs };
