-- trick: another connection by dblink
-- expect: denied
-- unlabelled: denied
-- decode: digits
-- direct: fails

select * from dblink('dbname=payments', 'select pan from cards') t(pan text)
