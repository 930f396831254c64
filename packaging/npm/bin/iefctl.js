#!/usr/bin/env node
'use strict';

/**
 * Starts the program of this platform and is then nothing but a window to it: the same streams, the
 * same signals, the same exit status.
 */

const { spawn } = require('node:child_process');
const { constants } = require('node:os');

const COULD_NOT_RUN = 2;

function program() {
  const platform = `${process.platform}-${process.arch}`;
  const file = process.platform === 'win32' ? 'iefctl.exe' : 'iefctl';
  try {
    return require.resolve(`@iefctl/${platform}/bin/${file}`);
  } catch {
    const { optionalDependencies = {} } = require('../package.json');
    const name = `@iefctl/${platform}`;
    process.stderr.write(
      name in optionalDependencies
        ? `error: ${name} is not installed: npm leaves it out with --omit=optional or --no-optional, and ` +
            'with a lock file that was made on another platform; install again without them\n'
        : `error: there is no iefctl for ${platform}: build it with cargo install iefctl\n`,
    );
    process.exit(COULD_NOT_RUN);
  }
}

const child = spawn(program(), process.argv.slice(2), { stdio: 'inherit' });

// Ctrl-C reaches the child by itself where both belong to the terminal; a signal for this process alone
// does not. A second one of the former kind would end what the first one stops in good order.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
  process.on(signal, () => {
    const isOfTerminal = process.stdin.isTTY && signal !== 'SIGTERM';
    if (!isOfTerminal) {
      child.kill(signal);
    }
  });
}

child.on('error', (error) => {
  process.stderr.write(`error: cannot start ${child.spawnfile}: ${error.message}\n`);
  process.exit(COULD_NOT_RUN);
});
child.on('exit', (status, signal) => {
  if (signal === null) {
    process.exit(status);
  }
  // Ended by a signal: so is this, as shells and make look at that.
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  process.exitCode = 128 + constants.signals[signal];
});
