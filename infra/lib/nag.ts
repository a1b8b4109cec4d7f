import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { acknowledgedFindings, acknowledgeFindings } from './acknowledged-findings.ts';

/** Synthesis fails on a finding of cdk-nag's AwsSolutions that `acknowledged-findings.ts` has no reason for. */
export function checkAwsSolutions(app: App, acknowledged = acknowledgedFindings): void {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  acknowledgeFindings(app, acknowledged);
}
