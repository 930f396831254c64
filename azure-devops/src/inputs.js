// @ts-check
'use strict';

/**
 * The inputs of a task, as its task.json declares them. An input may have other names (`aliases`): those
 * of the tasks that a pipeline used before.
 *
 * @typedef {{ name: string, type: string, aliases?: string[], defaultValue?: unknown }} Declared
 * @typedef {{ inputs: Declared[] }} Manifest
 */

const fs = require('node:fs');

const PREFIX = 'INPUT_';

/** The variable under which the agent hands over an input. @param {string} name */
function variable(name) {
  return PREFIX + name.replace(/ /g, '_').toUpperCase();
}

/**
 * Takes all inputs that this process was given out of its environment, before the task library does: that
 * writes every input to the log when it is asked for, secret ones too.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {Map<string, string>}
 */
function take(env) {
  // A pipeline variable called `input.x` arrives under the same name as an input `x`.
  const variables = new Set();
  for (const list of ['VSTS_PUBLIC_VARIABLES', 'VSTS_SECRET_VARIABLES']) {
    for (const name of names(env[list])) {
      variables.add(name.replace(/[. ]/g, '_').toUpperCase());
    }
  }
  const taken = new Map();
  for (const [key, value] of Object.entries(env)) {
    if (key.startsWith(PREFIX) && !variables.has(key)) {
      taken.set(key, value ?? '');
      delete env[key];
    }
  }
  return taken;
}

/** @param {string | undefined} json @returns {string[]} */
function names(json) {
  try {
    const list = JSON.parse(json || '[]');
    return Array.isArray(list) ? list.filter((name) => typeof name === 'string') : [];
  } catch {
    return [];
  }
}

/**
 * The agent leaves a variable that does not exist as it stands.
 *
 * @param {string} input @param {string} value
 */
function refuseUnset(input, value) {
  const left = /^\$\(([A-Za-z_][\w.-]*)\)$/.exec(value);
  if (left) {
    throw new Error(`input ${input} has $(${left[1]}), a variable that is not set in this run`);
  }
}

class Inputs {
  /**
   * @param {string} manifest path of task.json
   * @param {Map<string, string>} values what {@link take} returned
   */
  constructor(manifest, values) {
    this.values = values;
    /** @type {Map<string, Declared>} */
    this.declared = new Map();
    /** @type {Manifest} */
    const { inputs } = JSON.parse(fs.readFileSync(manifest, 'utf8'));
    const known = new Map();
    for (const input of inputs) {
      this.declared.set(input.name, input);
      for (const name of [input.name, ...(input.aliases ?? [])]) {
        known.set(variable(name), name);
      }
    }
    const unknown = [...values.keys()].filter((key) => !known.has(key)).map((key) => key.slice(PREFIX.length));
    if (unknown.length > 0) {
      const all = [...known.values()].sort((a, b) => a.localeCompare(b)).join(', ');
      throw new Error(`unknown input ${unknown.join(', ').toLowerCase()}: this task has ${all}`);
    }
  }

  /**
   * The text of an input, nothing if it is blank or the task does not have it.
   *
   * @param {string} name
   * @returns {string | undefined}
   */
  text(name) {
    const input = this.declared.get(name);
    if (!input) {
      return undefined;
    }
    const spelt = [name, ...(input.aliases ?? [])]
      .map((spelling) => /** @type {[string, string]} */ ([spelling, this.values.get(variable(spelling)) ?? '']))
      .map(([spelling, value]) => /** @type {[string, string]} */ ([spelling, value.trim()]))
      .filter(([, value]) => value !== '' && value !== String(input.defaultValue ?? ''));
    const values = new Set(spelt.map(([, value]) => value));
    if (values.size > 1) {
      const both = spelt.map(([spelling]) => spelling).join(' and ');
      throw new Error(`${both} mean the same input and have different values: set one of them`);
    }
    const value = spelt.length > 0 ? spelt[0][1] : String(input.defaultValue ?? '').trim();
    refuseUnset(name, value);
    return value === '' ? undefined : value;
  }

  /** As {@link text}, and must be there. @param {string} name */
  required(name) {
    const value = this.text(name);
    if (value === undefined) {
      const others = this.declared.get(name)?.aliases ?? [];
      const also = others.length > 0 ? ` (or ${others.join(', ')})` : '';
      throw new Error(`input ${name}${also} is required`);
    }
    return value;
  }

  /** @param {string} name @returns {boolean} */
  flag(name) {
    const value = this.text(name);
    switch (value?.toLowerCase()) {
      case undefined:
      case 'false':
        return false;
      case 'true':
        return true;
      default:
        throw new Error(`input ${name} is neither true nor false`);
    }
  }

  /**
   * The lines `Name=Value` of an input, values as they are.
   *
   * @param {string} name
   * @returns {string | undefined}
   */
  settings(name) {
    const text = this.text(name);
    for (const line of (text ?? '').split(/\r?\n/)) {
      refuseUnset(name, line.slice(line.indexOf('=') + 1).trim());
    }
    return text;
  }

  /** The lines of an input that are not blank. @param {string} name @returns {string[]} */
  lines(name) {
    const lines = (this.text(name) ?? '').split(/\r?\n/).map((line) => line.trim());
    return lines.filter((line) => line !== '');
  }
}

module.exports = { Inputs, take };
