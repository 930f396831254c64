'use strict';

require('./src/main').main('IefctlBuild', __dirname);
