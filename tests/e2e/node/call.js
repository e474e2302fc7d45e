// Sends one action with @alicloud/pop-core and prints the answer, or the error's code and data, as one JSON line.
// Arguments: endpoint, key id, key secret, method, action; the parameters come as JSON on standard input.
'use strict';
const Core = require('@alicloud/pop-core');

const [endpoint, accessKeyId, accessKeySecret, method, action] = process.argv.slice(2);
const client = new Core({ endpoint, accessKeyId, accessKeySecret, apiVersion: '2020-01-01', codes: ['01', '02', '03', '04'] });
const chunks = [];
process.stdin.on('data', (c) => chunks.push(c));
process.stdin.on('end', () => {
  client.request(action, JSON.parse(Buffer.concat(chunks).toString()), { method, timeout: 60000 }).then(
    (answer) => console.log(JSON.stringify({ answer })),
    (error) => console.log(JSON.stringify({ code: error.code, message: error.message, data: error.data })));
});
