-- trick: COPY to a file of the server
-- expect: denied
-- unlabelled: denied
-- decode: digits
-- direct: fails

copy cards to '/tmp/pangate-bypass-copy'
