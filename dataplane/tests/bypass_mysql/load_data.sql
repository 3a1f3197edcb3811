-- trick: from a file into a table, then read
-- expect: denied
-- unlabelled: denied
-- decode: digits
-- send: simple

select pan from cards into outfile 'loaded.txt'

begin

load data infile 'loaded.txt' into table settlements (note) set amount = 81

select note from settlements where amount = 81

rollback
