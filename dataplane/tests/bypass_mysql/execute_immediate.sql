-- trick: EXECUTE IMMEDIATE
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

execute immediate 'select pan from cards'
