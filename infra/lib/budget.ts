import type { Stack } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import type { Inputs } from './inputs.ts';

/** Warns when four fifths of the month's money are spent, and when all of it is going to be. It stops nothing. */
export function createBudget(stack: Stack, { name, inputs }: { readonly name: string; readonly inputs: Inputs }): void {
  const warning = (
    notificationType: 'ACTUAL' | 'FORECASTED',
    threshold: number,
  ): CfnBudget.NotificationWithSubscribersProperty => ({
    notification: { notificationType, comparisonOperator: 'GREATER_THAN', threshold, thresholdType: 'PERCENTAGE' },
    subscribers: [{ subscriptionType: 'EMAIL', address: inputs.operatorEmail }],
  });
  new CfnBudget(stack, 'Budget', {
    budget: {
      budgetName: name,
      budgetType: 'COST',
      timeUnit: 'MONTHLY',
      budgetLimit: { amount: inputs.monthlyBudgetUsd, unit: 'USD' },
    },
    notificationsWithSubscribers: [warning('ACTUAL', 80), warning('FORECASTED', 100)],
  });
}
