-- trick: EXECUTE IMMEDIATE
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

execute immediate 'select pan from cards'
