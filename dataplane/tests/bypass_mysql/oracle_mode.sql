-- trick: another server's language
-- expect: denied
-- unlabelled: denied
-- anything: denied
-- decode: digits

set sql_mode = 'ORACLE'

begin execute immediate 'select pan from cards'; end
