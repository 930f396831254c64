'use strict';

require('./src/main').main('IefctlDeploy', __dirname);
