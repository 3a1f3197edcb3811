-- trick: a table of one's own
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits
-- send: simple

create temporary table kept as select pan as note from cards

select note from kept
