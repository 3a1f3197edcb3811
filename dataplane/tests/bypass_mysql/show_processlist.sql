-- trick: SHOW PROCESSLIST
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

show full processlist /* 4111111111111111 */
