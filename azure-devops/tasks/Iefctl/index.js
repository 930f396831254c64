'use strict';

require('./src/main').main('Iefctl', __dirname);
