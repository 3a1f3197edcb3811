-- trick: from a file of the client
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits
-- send: simple
-- direct: fails

load data local infile 'x' into table settlements (note)
