// validate.js NODE_MODULES <objects.json: a list of Kubernetes objects is checked by the
// schemas of kubernetes-models; prints one line for each fault.
//
// These schemas let fields pass that they do not know, as the API server does without
// fieldValidation=Strict. But a field that a validator knows it also reads, so objects are
// handed to it as proxies: what nobody has read is unknown.
'use strict';

const path = require('path');
const modules = process.argv[2];

function validator(object) {
    const [group, version] = object.apiVersion.includes('/') ?
        object.apiVersion.split('/') : ['core', object.apiVersion];
    const upper = (word) => word[0].toUpperCase() + word.slice(1);
    const place = group === 'monitoring.coreos.com' ?
        ['@kubernetes-models/prometheus-operator',
         'MonitoringCoreosCom'] :
        ['kubernetes-models', 'IoK8sApi' + upper(group.split('.')[0])];
    // By its path: the packages' index would load all kinds there are.
    return require(path.resolve(modules, place[0], '_schemas',
        `${place[1]}${upper(version)}${object.kind}.js`)).validate;
}

function watched(value, where, unread) {
    if (value === null || typeof value !== 'object')
        return value;
    const members = new Map();
    for (const key of Object.keys(value)) {
        members.set(key, watched(value[key], `${where}/${key}`, unread));
        if (!Array.isArray(value))
            unread.add(`${where}/${key}`);
    }
    return new Proxy(value, {
        get(target, key) {
            if (!members.has(key))
                return target[key];
            unread.delete(`${where}/${key}`);
            return members.get(key);
        },
    });
}

function faults(object) {
    const name = `${object.kind}/${object.metadata.name}`;
    const unread = new Set();
    const validate = validator(object);
    const found = validate(watched(object, '', unread)) ? [] :
        validate.errors.map((e) => `${name} ${e.instancePath}: ${e.message || e.keyword} ` +
            JSON.stringify(e.params));
    // What lies in an unknown field has not been read either.
    const top = [...unread].filter((where) => !unread.has(where.replace(/\/[^/]*$/, '')));
    return found.concat(top.map((where) => `${name} ${where}: unknown field`));
}

const objects = JSON.parse(require('fs').readFileSync(0, 'utf8'));
for (const object of objects)
    for (const fault of faults(object))
        console.log(fault);
