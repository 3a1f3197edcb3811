// A job by mysql2: text and prepared statements, several at once, a stream, a transaction, errors. Prints JSON.
'use strict';
const fs = require('fs');
const mysql = require('mysql2/promise');

const config = {
  host: 'localhost',
  port: Number(process.env.PANGATE_PORT),
  user: 'ci-job',
  database: 'shop',
  password: process.env.MYSQL_PWD,
  ssl: { ca: fs.readFileSync(process.env.PANGATE_CA, 'utf8'), verifyIdentity: true },
  multipleStatements: true,
  supportBigNumbers: true,
  bigNumberStrings: true,
  connectTimeout: 20000,
};
const cards = 'select pan, pan_number, cast(pan_number as decimal(20)) as exact from cards where id <= ? order by id';

async function main() {
  const said = {};
  const client = await mysql.createConnection(config);
  for (const way of ['query', 'execute']) {
    // Twice: prepared once, then executed again.
    await client[way](cards, [5]);
    const [rows] = await client[way](cards, [5]);
    said[way] = rows.map((row) => Object.values(row).map(String));
  }
  const [several] = await client.query('select pan from cards order by id; select 1 as one');
  said.several = [several[0].map((row) => row.pan), several[1][0].one];
  await client.beginTransaction();
  await client.execute('insert into settlements (card_id, amount, note) values (?, ?, ?)', [1, '2.50', 'by node']);
  const [inserted] = await client.query("select amount from settlements where note = 'by node'");
  said.inserted = inserted[0].amount;
  await client.rollback();
  // On its way before the first is answered.
  const all = await Promise.allSettled([client.query('select 1'), client.query('drop table cards'), client.query('select 2 as two')]);
  said.denied = [all[1].reason.errno, all[1].reason.sqlState, all[1].reason.sqlMessage];
  said.after = all[2].value[0][0].two;
  said.error = await client.execute('select * from nowhere').catch((error) => error.errno);
  const seen = new Set();
  for await (const row of client.connection.query('select a.pan from cards a, cards b, cards c').stream()) seen.add(row.pan);
  said.streamed = [...seen].sort();
  await client.end();
  console.log(JSON.stringify(said));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
