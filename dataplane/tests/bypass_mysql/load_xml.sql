-- trick: from an XML file
-- expect: denied
-- unlabelled: denied
-- decode: digits
-- send: simple
-- direct: fails

load xml infile 'x' into table settlements
