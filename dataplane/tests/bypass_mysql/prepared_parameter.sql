-- trick: what was sent comes back
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits
-- send: binary
-- parameter: 4111111111111111

select ?, cast(? as unsigned), concat('x', ?)
